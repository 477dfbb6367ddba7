"""A guardian acts for a patient, with a token of the identity provider's: as the patient may, and never unnoticed."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import uuid4

from telemed.appointment.v1 import appointment_service_pb2 as pb
from telemed.appointment.v1 import history_pb2
from telemed.video.v1 import signalling_pb2
from telemed.video.v1 import video_service_pb2 as video

from appointment_svc.storage.audit import auditing, read_head
from chassis.client import by_ticket
from chassis.context import Caller, Role
from chassis.db import Database
from chassis.protos import to_timestamp
from tests.fix_ledger import TEN
from tests.fix_practice import GENERAL, Practice, offered
from tests.fix_records import Records
from tests.fix_video import AS_DOCTOR, AS_PATIENT, Booked, House, Visits
from tests.refusals import reason_of, refusal
from video_svc.storage.tickets import PostgresTickets

PATIENT, GUARDIAN, STRANGER = (str(uuid4()) for _ in range(3))
Metadata = list[tuple[str, str]]


async def events_of(practice: Practice, appointment_id: str, who: Metadata) -> Sequence[history_pb2.AppointmentEvent]:
    request = history_pb2.ListEventsRequest(id=appointment_id)
    return (await practice.appointments.ListEvents(request, metadata=who, timeout=20)).events


async def test_a_guardian_books_and_cancels_and_the_history_says_both(practice: Practice):
    match = practice.doctors.offer(exact_slot=offered(TEN))
    guardian = practice.callers.metadata(Role.PATIENT, PATIENT, actor=GUARDIAN)
    wish = pb.BookRequest(
        patient_id=PATIENT, doctor_id=match.doctor_id, appointment_type=GENERAL, appointment_date=to_timestamp(TEN)
    )
    booked = (await practice.appointments.Book(wish, metadata=guardian, timeout=20)).appointment
    cancel = pb.CancelAppointmentRequest(id=booked.id, reason="She is well again")
    await practice.appointments.CancelAppointment(cancel, metadata=guardian, timeout=20)
    for who in (guardian, practice.callers.metadata(Role.PATIENT, PATIENT), practice.callers.metadata(Role.ADMIN)):
        events = await events_of(practice, booked.id, who)
        assert [(one.actor_id, one.delegate_id) for one in events] == [(PATIENT, GUARDIAN)] * 2
        assert events[1].reason == "She is well again"


async def test_a_guardian_acts_for_one_patient_alone(practice: Practice):
    match = practice.doctors.offer(exact_slot=offered(TEN))
    wish = pb.BookRequest(
        patient_id=PATIENT, doctor_id=match.doctor_id, appointment_type=GENERAL, appointment_date=to_timestamp(TEN)
    )
    for_another = practice.callers.metadata(Role.PATIENT, STRANGER, actor=GUARDIAN)
    as_themselves = practice.callers.metadata(Role.PATIENT, GUARDIAN)
    for who in (for_another, as_themselves):
        call = practice.appointments.Book(wish, metadata=who, timeout=20)
        assert reason_of(await refusal(call)) == "PERMISSION_DENIED"


async def test_a_guardian_rates_the_visit(records: Records):
    visit = await records.booked(patient_id=PATIENT)
    records.now[0] = TEN + timedelta(minutes=1)
    doctor = records.callers.metadata(Role.DOCTOR, visit.doctor_id)
    await records.service.StartAppointment(pb.StartAppointmentRequest(id=visit.id), metadata=doctor, timeout=20)
    await records.service.CompleteAppointment(pb.CompleteAppointmentRequest(id=visit.id), metadata=doctor, timeout=20)
    guardian = records.callers.metadata(Role.PATIENT, PATIENT, actor=GUARDIAN)
    rated = await records.service.RateVisit(pb.RateVisitRequest(id=visit.id, rating=5), metadata=guardian, timeout=20)
    assert rated.appointment.rating == 5
    events = (await records.call("ListEvents", history_pb2.ListEventsRequest(id=visit.id))).events
    assert [one.delegate_id for one in events] == ["", "", "", GUARDIAN]


async def test_the_chain_of_hashes_holds_who_acted(records: Records):
    visit = await records.booked(patient_id=PATIENT)
    guardian = records.callers.metadata(Role.PATIENT, PATIENT, actor=GUARDIAN)
    await records.service.CancelAppointment(pb.CancelAppointmentRequest(id=visit.id), metadata=guardian, timeout=20)
    async with asyncio.timeout(30):
        while (await read_head(records.url)).number < 2:  # noqa: ASYNC110 - another process numbers the events
            await asyncio.sleep(0.05)
    async with auditing(records.url) as audit:
        assert [fault async for fault in audit.faults()] == []
        assert audit.checked == 2


async def test_a_guardian_joins_on_the_patients_side(visits: Visits):
    visit = Booked(patient_id=PATIENT)
    visits.feed.tell(visit)
    guardian = visits.callers.metadata(Role.PATIENT, PATIENT, actor=GUARDIAN)
    request = video.StartSessionRequest(appointment_id=visit.appointment_id, participant_type=AS_PATIENT)
    joined = await visits.stub.StartSession(request, metadata=guardian, timeout=20)
    assert joined.participant_id == (await visits.start_as_patient(visit)).participant_id
    as_doctor = video.StartSessionRequest(appointment_id=visit.appointment_id, participant_type=AS_DOCTOR)
    call = visits.stub.StartSession(as_doctor, metadata=guardian, timeout=20)
    assert reason_of(await refusal(call)) == "INVALID_ARGUMENT"
    ask = signalling_pb2.CreateStreamTicketRequest(session_id=joined.session_id)
    ticket = (await visits.stub.CreateStreamTicket(ask, metadata=guardian, timeout=20)).ticket
    watch = video.WatchSessionRequest(session_id=joined.session_id)
    stream = visits.stub.WatchSession(watch, metadata=[by_ticket(ticket)], timeout=20)
    assert (await anext(aiter(stream))).session.session_id == joined.session_id
    stream.cancel()


async def test_a_ticket_remembers_who_acts(video_house: House):
    database = Database(video_house.database_url, size=2)
    await database.open()
    async with video_house.service() as visits:
        visit = Booked(patient_id=PATIENT)
        visits.feed.tell(visit)
        session_id = (await visits.start_as_patient(visit)).session_id
        tickets = PostgresTickets(database)
        caller = Caller(PATIENT, Role.PATIENT, token="", delegate=GUARDIAN)
        ticket = await tickets.issue(session_id, caller, visits.clock() + timedelta(minutes=1))
        redeemed = await tickets.redeem(ticket, visits.clock())
    await database.close()
    assert redeemed is not None
    assert (redeemed.subject, redeemed.actor, redeemed.confined_to) == (PATIENT, GUARDIAN, session_id)
