"""Signals from one browser to the other: in order, once, for the right attempt, and gone soon."""

import asyncio
import random
from datetime import timedelta

import psycopg
import pytest
from telemed.video.v1 import signalling_pb2
from telemed.video.v1 import video_service_pb2 as pb

from tests.fix_video import House, Visits, info_of
from tests.fix_video_call import Call, call_of, candidates, description, lines
from tests.refusals import fields_of, reason_of, refusal
from video_svc.app.keep_time import KeepTime


async def kept_signals(house: House) -> int:
    async with await psycopg.AsyncConnection.connect(house.database_url) as connection:
        row = await (await connection.execute("SELECT count(*) FROM signal")).fetchone()
    assert row is not None
    return int(row[0])


async def test_an_offer_and_its_candidates_arrive_as_they_were_sent(call: Call) -> None:
    await call.admit()
    await call.doctor.say(call.patient, description("OFFER", "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\n"))
    await call.doctor.say(call.patient, candidates("candidate:1", "candidate:2", end=True))
    events = await call.patient.hear(lambda heard: len(heard) == 3)
    first, second = (event.signal for event in events[1:])
    assert first == signalling_pb2.Signal(
        participant_id=call.doctor.participant_id,
        attempt=1,
        number=1,
        peer_attempt=1,
        payload=description("OFFER", "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\n"),
    )
    assert second.payload == candidates("candidate:1", "candidate:2", end=True)


async def test_signals_that_overtake_each_other_arrive_in_the_order_of_their_numbers(call: Call) -> None:
    await call.admit()
    numbers = list(range(1, 41))
    random.Random(7).shuffle(numbers)  # noqa: S311  a seed makes a failure repeatable
    await asyncio.gather(*(call.doctor.say(call.patient, number=number) for number in numbers))
    events = await call.patient.hear(lambda heard: len(lines(heard)) == 40)
    assert lines(events) == [f"candidate:{number}" for number in range(1, 41)]


async def test_a_signal_sent_twice_arrives_once(call: Call) -> None:
    await call.admit()
    await call.doctor.say(call.patient)
    await call.doctor.say(call.patient, number=1)
    await call.doctor.say(call.patient, number=2)
    events = await call.patient.hear(lambda heard: len(lines(heard)) == 2)
    assert lines(events) == ["candidate:1", "candidate:2"]


async def test_a_signal_that_stays_away_is_asked_for_by_its_number(call: Call, visits: Visits) -> None:
    await call.admit()
    assert await call.doctor.say(call.patient, number=2) == 1
    visits.clock.now += timedelta(seconds=5)
    error = await refusal(call.doctor.say(call.patient, number=3))
    assert (reason_of(error), info_of(error).metadata["next_number"]) == ("SIGNAL_GAP", "1")
    assert await call.doctor.say(call.patient, number=1) == 3


async def test_at_most_64_signals_wait_for_one(call: Call) -> None:
    await call.admit()
    assert await call.doctor.say(call.patient, number=64) == 1
    assert reason_of(await refusal(call.doctor.say(call.patient, number=65))) == "SIGNAL_GAP"


async def test_a_new_attempt_hears_nothing_of_the_old_one_and_the_old_one_says_nothing_more(call: Call) -> None:
    await call.admit()
    await call.doctor.say(call.patient)
    await call.patient.start()
    assert call.patient.attempt == 2
    stale = await refusal(call.doctor.say(call.patient, peer_attempt=1))
    assert (reason_of(stale), info_of(stale).metadata["peer_attempt"]) == ("STALE_ATTEMPT", "2")
    late = await refusal(call.patient.say(call.doctor, attempt=1))
    assert (reason_of(late), info_of(late).metadata["attempt"]) == ("STALE_ATTEMPT", "2")

    await call.doctor.say(call.patient, candidates("candidate:new"))
    events = await call.patient.hear(lambda heard: bool(lines(heard)))
    assert lines(events) == ["candidate:new"]


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        (signalling_pb2.SignalPayload(), "payload"),
        (description("OFFER", "m=audio"), "payload.description.sdp"),
        (description("OFFER", "v=0" + "x" * 60_000), "payload.description.sdp"),
        (description("UNSPECIFIED"), "payload.description.type"),
        (candidates(*["candidate:1"] * 33), "payload.candidates"),
        (candidates("candidate:1", "x" * 1_025), "payload.candidates[1].candidate"),
    ],
)
async def test_a_signal_that_is_too_much_or_nothing_is_refused_by_its_field(
    call: Call, payload: signalling_pb2.SignalPayload, field: str
) -> None:
    await call.admit()
    assert fields_of(await refusal(call.doctor.say(call.patient, payload))) == [field]


@pytest.mark.parametrize(("name", "value"), [("number", 0), ("attempt", 0), ("attempt", 9), ("peer_attempt", 9)])
async def test_a_number_that_cannot_be_is_refused_by_its_field(call: Call, name: str, value: int) -> None:
    await call.admit()
    assert fields_of(await refusal(call.doctor.say(call.patient, **{name: value}))) == [name]


async def test_signals_are_forgotten_when_the_visit_ends(call: Call, video_house: House) -> None:
    await call.connect()
    await call.doctor.say(call.patient)
    assert await kept_signals(video_house) == 1
    await call.doctor.end()
    assert await kept_signals(video_house) == 0
    assert reason_of(await refusal(call.doctor.say(call.patient))) == "SESSION_OVER"


async def test_signals_are_forgotten_soon_after_both_are_connected_and_after_five_minutes_at_most(
    video_house: House, keep_time: KeepTime
) -> None:
    async with video_house.service() as visits:
        connected, connecting = call_of(visits), call_of(visits)
        await connected.connect()
        await connected.doctor.say(connected.patient)
        await connecting.admit()
        await connecting.doctor.say(connecting.patient)
        for seconds, left in ((59, 2), (1, 1), (239, 1), (1, 0)):
            keep_time.clock.now += timedelta(seconds=seconds)
            await keep_time()
            assert await kept_signals(video_house) == left


async def test_nobody_hears_the_signals_of_others(call: Call, visits: Visits) -> None:
    other = call_of(visits)
    await call.admit()
    await other.admit()
    await call.doctor.say(call.patient, candidates("candidate:ours"))
    await other.doctor.say(other.patient, candidates("candidate:theirs"))
    assert lines(await other.patient.hear(lambda heard: bool(lines(heard)))) == ["candidate:theirs"]
    # The sender's own stream tells it of nothing, and staff hear nobody.
    await call.doctor.leave()
    events = await call.doctor.hear(lambda heard: heard[-1].session.participants[-1].state != 0)
    assert lines(events) == []


async def test_a_signal_sent_by_one_replica_is_heard_at_another(video_house: House) -> None:
    async with video_house.service() as here, video_house.service() as there:
        call = call_of(here)
        await call.admit()
        listening = asyncio.create_task(_listen(there, call))
        await asyncio.sleep(0.2)
        await call.doctor.say(call.patient)
        assert lines(await listening) == ["candidate:1"]


async def _listen(there: Visits, call: Call) -> list[pb.WatchSessionResponse]:
    elsewhere = call_of(there, call.patient.visit).patient
    elsewhere.session_id = call.patient.session_id
    return await elsewhere.hear(lambda heard: bool(lines(heard)))
