"""Sessions over gRPC: they come, move and go with their appointment, and tell only whom they concern."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from telemed.video.v1 import presence_pb2
from telemed.video.v1 import video_service_pb2 as pb

from chassis.context import Role
from chassis.protos import to_timestamp
from tests.domain.video.video_builders import START
from tests.fix_video import Booked, House, Visits, info_of
from tests.refusals import fields_of, reason_of, refusal


async def test_a_visit_booked_a_moment_ago_is_waited_for(visits: Visits) -> None:
    visit = Booked()
    joining = asyncio.create_task(visits.start_as_patient(visit))
    await asyncio.sleep(0.2)
    assert not joining.done()
    visits.feed.tell(visit)
    assert (await joining).session_id


async def test_a_session_tells_its_times_and_who_has_come(visits: Visits) -> None:
    visit = Booked()
    visits.feed.tell(visit)
    joined = await visits.start_as_patient(visit)
    session_id = joined.session_id
    assert await visits.get(session_id) == pb.Session(
        session_id=session_id,
        appointment_id=visit.appointment_id,
        state=pb.SESSION_STATE_OPEN,
        start_time=to_timestamp(START),
        end_time=to_timestamp(START + timedelta(minutes=30)),
        join_open_time=to_timestamp(START - timedelta(minutes=10)),
        join_close_time=to_timestamp(START + timedelta(minutes=60)),
        participants=[
            pb.Participant(
                participant_type=pb.PARTICIPANT_TYPE_PATIENT,
                join_time=to_timestamp(START),
                participant_id=joined.participant_id,
                state=presence_pb2.PARTICIPANT_STATE_WAITING,
                state_time=to_timestamp(START),
                last_seen_time=to_timestamp(START),
            )
        ],
    )


async def test_a_session_tells_only_its_two_people_and_staff(visits: Visits) -> None:
    visit = Booked()
    visits.feed.tell(visit)
    session_id = (await visits.start_as_patient(visit)).session_id
    for role, subject in (
        (Role.PATIENT, visit.patient_id),
        (Role.DOCTOR, visit.doctor_id),
        (Role.ADMIN, str(uuid4())),
        (Role.SERVICE, "gateway"),
    ):
        assert (await visits.get(session_id, role, subject)).session_id == session_id
    for role in (Role.PATIENT, Role.DOCTOR):
        error = await refusal(visits.get(session_id, role, str(uuid4())))
        assert (error.code(), reason_of(error)) == (grpc.StatusCode.NOT_FOUND, "SESSION_NOT_FOUND")


async def test_an_unknown_session_is_not_found_and_a_bad_id_is_named(visits: Visits) -> None:
    assert reason_of(await refusal(visits.get(str(uuid4())))) == "SESSION_NOT_FOUND"
    assert fields_of(await refusal(visits.get("not-a-uuid"))) == ["session_id"]


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("CANCELLED", pb.SESSION_STATE_CANCELLED),
        ("NO_SHOW", pb.SESSION_STATE_NO_SHOW),
        ("EXPIRED", pb.SESSION_STATE_CANCELLED),
        ("COMPLETED", pb.SESSION_STATE_ENDED),
    ],
)
async def test_a_session_goes_with_its_appointment(visits: Visits, status: str, state: int) -> None:
    visit = Booked()
    visits.feed.tell(visit)
    session_id = (await visits.start_as_patient(visit)).session_id
    visits.feed.tell(visit, status, version=2)
    await visits.until(session_id, lambda session: session.state == state)
    info = info_of(await refusal(visits.start_as_doctor(visit)))
    assert (info.reason, info.metadata["status"]) == ("WRONG_STATE", status)


async def test_a_visit_is_joined_only_once_it_is_confirmed(visits: Visits) -> None:
    visit = Booked()
    visits.feed.tell(visit, "HELD")
    assert reason_of(await refusal(visits.start_as_patient(visit))) == "WRONG_STATE"
    visits.feed.tell(visit, "IN_PROGRESS", version=2)
    other = Booked()
    visits.feed.tell(other)
    await visits.start_as_patient(other)  # waits for the feed, so that the change before it is known too
    assert (await visits.start_as_patient(visit)).session_id


async def test_a_moved_appointment_moves_its_session(visits: Visits) -> None:
    visit = Booked()
    visits.feed.tell(visit)
    session_id = (await visits.start_as_patient(visit)).session_id
    tomorrow = START + timedelta(days=1)
    moved = Booked(visit.appointment_id, visit.patient_id, visit.doctor_id, tomorrow)
    visits.feed.tell(moved, version=2)
    session = await visits.until(session_id, lambda session: session.start_time == to_timestamp(tomorrow))
    assert session.state == pb.SESSION_STATE_SCHEDULED
    assert list(session.participants) == []
    assert reason_of(await refusal(visits.start_as_patient(visit))) == "JOIN_TOO_EARLY"


async def test_a_late_or_repeated_change_brings_nothing_back(visits: Visits) -> None:
    visit, last = Booked(), Booked()
    visits.feed.tell(visit, "CANCELLED", version=2)
    visits.feed.tell(visit, "CONFIRMED", version=1)
    visits.feed.tell(visit, "CONFIRMED", version=2)
    visits.feed.tell(last)
    await visits.start_as_patient(last)
    assert reason_of(await refusal(visits.start_as_patient(visit))) == "WRONG_STATE"


async def test_a_broken_feed_is_taken_up_where_it_broke(visits: Visits) -> None:
    before, after = Booked(), Booked()
    visits.feed.tell(before)
    await visits.start_as_patient(before)
    visits.feed.break_off()
    visits.feed.tell(after)
    async with asyncio.timeout(10):
        while len(visits.feed.resumed_after) < 2:  # noqa: ASYNC110 - a new reader sets no event
            await asyncio.sleep(0.02)
    assert (await visits.start_as_patient(after)).session_id
    assert (visits.feed.resumed_after[0], visits.feed.resumed_after[-1]) == ("", "1")


async def test_a_restarted_service_goes_on_with_the_same_sessions_and_key(video_house: House) -> None:
    visit = Booked()
    video_house.feed.tell(visit)
    async with video_house.service() as visits:
        first = await visits.start_as_patient(visit)
        key = video_house.key_file.read_bytes()
    async with video_house.service() as visits:
        assert (await visits.start_as_patient(visit)).session_id == first.session_id
    assert video_house.feed.resumed_after == ["", "1"]
    assert video_house.key_file.read_bytes() == key


async def test_visits_are_joined_while_the_appointment_service_is_down(video_house: House) -> None:
    visit = Booked()
    video_house.feed.tell(visit)
    async with video_house.service() as visits:
        await visits.start_as_patient(visit)
    async with video_house.service(appointment_target="127.0.0.1:1") as visits:
        assert (await visits.start_as_doctor(visit)).session_id


async def test_the_feed_is_read_in_the_services_own_name(visits: Visits, video_house: House) -> None:
    visit = Booked()
    visits.feed.tell(visit)
    await visits.start_as_patient(visit)
    assert video_house.shared.service_token_file is not None
    token = video_house.shared.service_token_file.read_text()
    assert dict(visits.feed.readers[0])["authorization"] == f"Bearer {token}"


async def test_a_running_service_says_that_it_serves(visits: Visits) -> None:
    health = health_pb2_grpc.HealthStub(visits.channel)
    for name in ("", "telemed.video.v1.VideoService"):
        states = health.Watch(health_pb2.HealthCheckRequest(service=name), timeout=5)
        async for state in states:
            if state.status == health_pb2.HealthCheckResponse.SERVING:
                break
        assert state.status == health_pb2.HealthCheckResponse.SERVING
        states.cancel()
