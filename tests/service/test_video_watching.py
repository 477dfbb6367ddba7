"""The event stream of a session: the session first, then what happens, and nothing missed by whoever comes back."""

import asyncio
from datetime import timedelta
from uuid import uuid4

from telemed.video.v1 import presence_pb2, signalling_pb2
from telemed.video.v1 import video_service_pb2 as pb

from chassis.client import by_ticket
from chassis.context import Role
from tests.fix_video import Visits
from tests.fix_video_call import Call, Person, call_of, lines
from tests.refusals import fields_of, reason_of, refusal


async def ticket_of(person: Person) -> str:
    request = signalling_pb2.CreateStreamTicketRequest(session_id=person.session_id)
    answer = await person.call("CreateStreamTicket", request)
    return str(answer.ticket)


async def first(stream: object) -> pb.WatchSessionResponse:
    async for event in stream:  # type: ignore[attr-defined]
        return event
    raise AssertionError("an empty stream")


async def test_the_first_event_is_the_session_as_it_is(call: Call) -> None:
    await call.patient.start()
    (event,) = await call.patient.hear(bool)
    assert event.session == await call.patient.see()
    assert event.seq == 0


async def test_the_patient_learns_that_the_doctor_has_admitted_them(call: Call) -> None:
    await call.patient.start()
    await call.doctor.start()
    admitted = presence_pb2.PARTICIPANT_STATE_ADMITTED
    listening = asyncio.create_task(
        call.patient.hear(lambda heard: any(one.state == admitted for one in heard[-1].session.participants))
    )
    await asyncio.sleep(0.1)
    await call.doctor.decide("Admit", call.patient)
    assert len(await listening) == 2


async def test_a_cancelled_appointment_is_told_to_whoever_waits(call: Call, visits: Visits) -> None:
    await call.patient.start()
    listening = asyncio.create_task(
        call.patient.hear(lambda heard: heard[-1].session.state == pb.SESSION_STATE_CANCELLED)
    )
    await asyncio.sleep(0.1)
    visits.feed.tell(call.patient.visit, "CANCELLED", version=2)
    await listening


async def test_whoever_comes_back_misses_nothing_and_hears_nothing_twice(call: Call) -> None:
    await call.admit()
    for _ in range(3):
        await call.doctor.say(call.patient)
    heard = await call.patient.hear(lambda heard: len(lines(heard)) == 2)
    for _ in range(2):
        await call.doctor.say(call.patient)
    await call.doctor.report()
    again = await call.patient.hear(
        lambda heard: len(lines(heard)) == 3 and heard[-1].seq > heard[0].seq, after_seq=heard[-1].seq
    )
    assert lines(heard) + lines(again) == [f"candidate:{number}" for number in range(1, 6)]
    assert again[0].session.session_id == call.patient.session_id
    seqs = [event.seq for event in again]
    assert seqs == sorted(seqs)


async def test_a_place_in_the_stream_that_never_was_is_refused(call: Call) -> None:
    await call.patient.start()
    for after_seq in (-1, 1_000):
        assert fields_of(await refusal(call.patient.hear(bool, after_seq=after_seq))) == ["after_seq"]


async def test_staff_may_watch_and_hear_no_signals(call: Call, visits: Visits) -> None:
    await call.admit()
    await call.doctor.say(call.patient)
    admin = Person(visits, call.patient.visit, Role.ADMIN, str(uuid4()), call.patient.session_id)
    listening = asyncio.create_task(admin.hear(lambda heard: heard[-1].session.state == pb.SESSION_STATE_ENDED))
    await asyncio.sleep(0.1)
    await call.doctor.end()
    assert lines(await listening) == []


async def test_a_ticket_opens_one_stream_once(call: Call) -> None:
    await call.patient.start()
    ticket = await ticket_of(call.patient)
    stream = call.patient.stream(metadata=[by_ticket(ticket)])
    assert (await first(stream)).session.session_id == call.patient.session_id
    stream.cancel()
    assert reason_of(await refusal(first(call.patient.stream(metadata=[by_ticket(ticket)])))) == "UNAUTHENTICATED"


async def test_a_ticket_is_good_for_a_minute(call: Call, visits: Visits) -> None:
    await call.patient.start()
    ticket = await ticket_of(call.patient)
    visits.clock.now += timedelta(seconds=60)
    assert reason_of(await refusal(first(call.patient.stream(metadata=[by_ticket(ticket)])))) == "UNAUTHENTICATED"


async def test_a_ticket_opens_no_other_session_and_no_other_call(call: Call, visits: Visits) -> None:
    await call.patient.start()
    other = call_of(visits)
    await other.doctor.start()
    ticket = await ticket_of(call.patient)
    astray = other.patient
    astray.session_id = other.doctor.session_id
    assert reason_of(await refusal(first(astray.stream(metadata=[by_ticket(ticket)])))) == "SESSION_NOT_FOUND"

    ticket = await ticket_of(call.patient)
    request = pb.GetSessionRequest(session_id=call.patient.session_id)
    looking = visits.stub.GetSession(request, metadata=[by_ticket(ticket)], timeout=5)
    assert reason_of(await refusal(looking)) == "UNAUTHENTICATED"


async def test_a_made_up_ticket_opens_nothing(call: Call) -> None:
    await call.patient.start()
    for ticket in ("", "x", "ü"[:0] + "a" * 5_000):
        assert reason_of(await refusal(first(call.patient.stream(metadata=[by_ticket(ticket)])))) == "UNAUTHENTICATED"


async def test_a_ticket_for_someone_elses_session_is_not_made(call: Call) -> None:
    await call.patient.start()
    stranger = Person(call.patient.visits, call.patient.visit, Role.PATIENT, str(uuid4()), call.patient.session_id)
    assert reason_of(await refusal(ticket_of(stranger))) == "SESSION_NOT_FOUND"
