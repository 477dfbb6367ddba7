"""What happens in a session reaches its appointment: once in effect, in order, and whatever is down meanwhile."""

import asyncio
from collections.abc import Callable

import grpc
import psycopg
from telemed.appointment.v1 import appointment_pb2

from tests.fix_services import until
from tests.fix_video import House, ScriptedFeed, Visits
from tests.fix_video_call import Call, call_of


def told(feed: ScriptedFeed) -> list[str]:
    """The calls that the appointment service got, in order; an arrival with who came."""
    names = {appointment_pb2.PARTICIPANT_PATIENT: "patient", appointment_pb2.PARTICIPANT_DOCTOR: "doctor"}
    return [f"{rpc} {names[request.participant]}" if rpc == "RecordArrival" else rpc for rpc, request in feed.heard]


async def waiting(house: House) -> int:
    async with await psycopg.AsyncConnection.connect(house.database_url) as connection:
        row = await (await connection.execute("SELECT count(*) FROM outbox")).fetchone()
    assert row is not None
    return int(row[0])


async def settled(house: House, holds: Callable[[], bool]) -> None:
    """Returns once something holds and nothing more is to be told."""
    await until(holds)
    async with asyncio.timeout(5):
        while await waiting(house):  # noqa: ASYNC110 - another process's table sets no event
            await asyncio.sleep(0.02)


async def test_a_whole_visit_is_told_in_order_by_the_services_own_token(
    call: Call, visits: Visits, video_house: House
) -> None:
    await call.connect()
    await call.doctor.end()
    await settled(video_house, lambda: len(visits.feed.heard) == 4)
    assert told(visits.feed) == [
        "RecordArrival patient",
        "RecordArrival doctor",
        "StartAppointment",
        "CompleteAppointment",
    ]
    assert {request.id for _, request in visits.feed.heard} == {call.patient.visit.appointment_id}
    assert len({request.request_id for _, request in visits.feed.heard}) == 4
    assert video_house.shared.service_token_file is not None
    assert set(visits.feed.tellers) == {f"Bearer {video_house.shared.service_token_file.read_text()}"}


async def test_coming_again_reconnecting_and_ending_twice_tell_nothing_more(
    call: Call, visits: Visits, video_house: House
) -> None:
    await call.connect()
    await call.patient.start()
    await call.patient.report()
    await call.doctor.end()
    await call.doctor.end()
    await settled(video_house, lambda: len(visits.feed.heard) == 4)
    assert sorted(told(visits.feed)) == sorted({*told(visits.feed)})


async def test_a_lost_connection_completes_nothing(call: Call, visits: Visits, video_house: House) -> None:
    await call.patient.start()
    await call.doctor.start()
    await call.doctor.end()
    await settled(video_house, lambda: len(visits.feed.heard) == 2)
    assert told(visits.feed) == ["RecordArrival patient", "RecordArrival doctor"]


async def test_a_visit_goes_on_while_the_appointment_service_is_away_and_is_told_later_with_the_same_key(
    call: Call, visits: Visits, video_house: House
) -> None:
    visits.feed.refusing["RecordArrival"] = grpc.StatusCode.UNAVAILABLE
    await call.connect()
    await until(lambda: len(visits.feed.heard) >= 2)
    assert "StartAppointment" not in told(visits.feed)
    visits.feed.refusing.clear()
    await settled(video_house, lambda: "StartAppointment" in told(visits.feed))
    order = list(dict.fromkeys(told(visits.feed)))
    assert order == ["RecordArrival patient", "RecordArrival doctor", "StartAppointment"]
    keys = {(what, request.request_id) for what, (_, request) in zip(told(visits.feed), visits.feed.heard, strict=True)}
    assert len(keys) == 3


async def test_what_the_appointment_refuses_for_good_holds_nothing_up(
    call: Call, visits: Visits, video_house: House
) -> None:
    visits.feed.refusing["StartAppointment"] = grpc.StatusCode.FAILED_PRECONDITION
    await call.connect()
    await call.doctor.end()
    await settled(video_house, lambda: told(visits.feed)[-1:] == ["CompleteAppointment"])
    assert told(visits.feed).count("StartAppointment") == 1


async def test_a_notice_written_before_a_stop_is_told_after_the_start(video_house: House) -> None:
    feed = video_house.feed
    feed.refusing["RecordArrival"] = grpc.StatusCode.UNAVAILABLE
    async with video_house.service() as visits:
        await call_of(visits).patient.start()
    assert await waiting(video_house) == 1
    feed.refusing.clear()
    async with await psycopg.AsyncConnection.connect(video_house.database_url) as connection:
        await connection.execute("UPDATE outbox SET next_time = '-infinity'")
    heard = len(feed.heard)
    async with video_house.service():
        await settled(video_house, lambda: len(feed.heard) > heard)


async def test_two_replicas_tell_each_notice_once(video_house: House) -> None:
    async with video_house.service() as here, video_house.service():
        calls = [call_of(here) for _ in range(10)]
        await video_house.copied(10)
        await asyncio.gather(*(call.patient.start() for call in calls))
        await settled(video_house, lambda: len(video_house.feed.heard) >= 10)
    assert len(video_house.feed.heard) == 10
