"""Who is there: reports, leaving, silence, the end, and lists of sessions."""

from datetime import timedelta
from uuid import uuid4

import pytest
from telemed.video.v1 import presence_pb2
from telemed.video.v1 import video_service_pb2 as pb

from chassis.context import Role
from chassis.protos import to_timestamp
from tests.domain.video.video_builders import START
from tests.fix_video import Booked, Visits, info_of
from tests.fix_video_call import DISCONNECTED, Call, Person, call_of
from tests.refusals import fields_of, reason_of, refusal
from video_svc.app.keep_time import KeepTime

LEFT, CONNECTED = presence_pb2.PARTICIPANT_STATE_LEFT, presence_pb2.PARTICIPANT_STATE_CONNECTED


async def test_the_visit_is_live_once_both_are_connected(call: Call, visits: Visits) -> None:
    await call.admit()
    assert (await call.patient.report()).session_state == pb.SESSION_STATE_OPEN
    visits.clock.now += timedelta(seconds=3)
    assert (await call.doctor.report()).session_state == pb.SESSION_STATE_LIVE
    session = await call.doctor.see()
    assert session.actual_start_time == to_timestamp(START + timedelta(seconds=3))
    assert session.latest_end_time == to_timestamp(START + timedelta(minutes=120, seconds=3))


async def test_a_report_that_was_overtaken_counts_for_nothing(call: Call) -> None:
    await call.connect()
    assert (await call.patient.report(DISCONNECTED, number=5)).session_state == pb.SESSION_STATE_INTERRUPTED
    assert (await call.patient.report(number=4)).session_state == pb.SESSION_STATE_INTERRUPTED
    assert (await call.patient.report(number=6)).session_state == pb.SESSION_STATE_LIVE


async def test_the_farewell_of_a_page_that_was_reloaded_ends_nothing(call: Call) -> None:
    await call.connect()
    await call.patient.start()
    await call.patient.report()
    error = await refusal(call.patient.leave(attempt=1))
    assert (reason_of(error), info_of(error).metadata["attempt"]) == ("STALE_ATTEMPT", "2")
    assert (await call.doctor.see()).state == pb.SESSION_STATE_LIVE


async def test_whoever_was_silent_for_45_seconds_has_left_and_comes_back_without_knocking(
    call: Call, keep_time: KeepTime
) -> None:
    await call.connect()
    keep_time.clock.now += timedelta(seconds=30)
    await call.doctor.report()
    keep_time.clock.now += timedelta(seconds=15)
    await keep_time()
    session = await call.doctor.see()
    assert session.state == pb.SESSION_STATE_INTERRUPTED
    states = {one.participant_id: one.state for one in session.participants}
    assert states == {call.patient.participant_id: LEFT, call.doctor.participant_id: CONNECTED}
    assert (await call.patient.report()).participant_state == LEFT
    assert reason_of(await refusal(call.patient.say(call.doctor))) == "NOT_IN_CALL"

    await call.patient.start()
    assert (await call.patient.report()).session_state == pb.SESSION_STATE_LIVE


async def test_an_interrupted_visit_ends_after_five_minutes_and_its_doctor_may_start_it_again(
    call: Call, keep_time: KeepTime
) -> None:
    await call.connect()
    await call.patient.leave()
    for _ in range(10):
        keep_time.clock.now += timedelta(seconds=30)
        await call.doctor.report()
        await keep_time()
    session = await call.doctor.see()
    assert (session.state, session.end_reason) == (pb.SESSION_STATE_ENDED, pb.END_REASON_CONNECTION_LOST)
    assert reason_of(await refusal(call.patient.start())) == "SESSION_OVER"
    await call.doctor.start()
    await call.patient.start()
    await call.patient.report()
    assert (await call.doctor.report()).session_state == pb.SESSION_STATE_LIVE


async def test_a_visit_ends_by_itself_after_its_longest_time(call: Call, keep_time: KeepTime) -> None:
    await call.connect()
    keep_time.clock.now += timedelta(minutes=120)
    await keep_time()
    session = await call.doctor.see()
    assert (session.state, session.end_reason) == (pb.SESSION_STATE_ENDED, pb.END_REASON_MAX_DURATION)


async def test_the_doctor_ends_the_visit_for_everybody(call: Call) -> None:
    await call.connect()
    ended = await call.doctor.end()
    assert (ended.state, ended.end_reason) == (pb.SESSION_STATE_ENDED, pb.END_REASON_ENDED_BY_DOCTOR)
    assert {one.state for one in ended.participants} == {LEFT}
    assert await call.doctor.end() == ended
    assert reason_of(await refusal(call.patient.start())) == "SESSION_OVER"


async def test_a_patient_ends_nothing_and_an_empty_visit_cannot_be_ended(call: Call, visits: Visits) -> None:
    await call.connect()
    assert reason_of(await refusal(call.patient.end())) == "PERMISSION_DENIED"
    admin = Person(visits, call.patient.visit, Role.ADMIN, str(uuid4()), call.patient.session_id)
    assert (await admin.end()).state == pb.SESSION_STATE_ENDED


async def test_a_visit_to_which_nobody_came_cannot_be_ended(visits: Visits) -> None:
    call = call_of(visits)
    await call.doctor.start()
    visits.clock.now += timedelta(minutes=10)
    tomorrow = Booked(
        call.doctor.visit.appointment_id,
        call.doctor.visit.patient_id,
        call.doctor.visit.doctor_id,
        START + timedelta(days=1),
    )
    visits.feed.tell(tomorrow, version=2)
    await visits.until(call.doctor.session_id, lambda session: session.start_time == to_timestamp(tomorrow.start))
    assert reason_of(await refusal(call.doctor.end())) == "NOBODY_CAME"


@pytest.mark.parametrize(
    ("changed", "field"), [({"number": 0}, "number"), ({"attempt": 5}, "attempt"), ({"state": 0}, "connection_state")]
)
async def test_a_bad_report_is_refused_by_its_field(call: Call, changed: dict[str, int], field: str) -> None:
    await call.admit()
    assert fields_of(await refusal(call.patient.report(**changed))) == [field]


async def test_everybody_lists_their_own_sessions_page_by_page(visits: Visits) -> None:
    mine = Booked()
    days = [START + timedelta(days=day) for day in range(5)]
    booked = [Booked(doctor_id=mine.doctor_id, start=day) for day in days]
    for visit in [*booked, Booked()]:
        visits.feed.tell(visit)
    doctor = Person(visits, mine, Role.DOCTOR, mine.doctor_id)
    await call_of(visits).doctor.start()  # everything before it has been copied
    starts, token = [], ""
    while True:
        page = await doctor.call("ListSessions", pb.ListSessionsRequest(page_size=2, page_token=token))
        starts += [session.start_time for session in page.sessions]
        token = page.next_page_token
        if not token:
            break
    assert starts == [to_timestamp(day) for day in days]

    window = pb.ListSessionsRequest(from_time=to_timestamp(days[1]), to_time=to_timestamp(days[3]))
    assert len((await doctor.call("ListSessions", window)).sessions) == 2
    patient = Person(visits, booked[2], Role.PATIENT, booked[2].patient_id)
    (own,) = (await patient.call("ListSessions", pb.ListSessionsRequest())).sessions
    assert own.appointment_id == booked[2].appointment_id
    admin = Person(visits, mine, Role.ADMIN, str(uuid4()))
    request = pb.ListSessionsRequest(doctor_id=mine.doctor_id, appointment_id=booked[0].appointment_id)
    assert len((await admin.call("ListSessions", request)).sessions) == 1


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (pb.ListSessionsRequest(page_size=201), "page_size"),
        (pb.ListSessionsRequest(page_size=-1), "page_size"),
        (pb.ListSessionsRequest(page_token="bm9uc2Vuc2U="), "page_token"),  # noqa: S106 - no secret
        (pb.ListSessionsRequest(doctor_id="nobody"), "doctor_id"),
        (pb.ListSessionsRequest(from_time=to_timestamp(START), to_time=to_timestamp(START)), "to_time"),
    ],
)
async def test_a_bad_question_is_refused_by_its_field(
    visits: Visits, request_: pb.ListSessionsRequest, field: str
) -> None:
    patient = Person(visits, Booked(), Role.PATIENT, str(uuid4()))
    assert fields_of(await refusal(patient.call("ListSessions", request_))) == [field]
