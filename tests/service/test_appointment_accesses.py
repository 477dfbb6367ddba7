"""Each call of the appointment service that touches patient data leaves one row, or the event that says the same."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

import grpc
import pytest
from telemed.appointment.v1 import appointment_pb2, history_pb2, statistics_pb2
from telemed.appointment.v1 import appointment_service_pb2 as pb

from appointment_svc.api.audit import TOUCHES
from chassis import break_glass
from chassis.accesses import of_patient_data
from chassis.context import Role
from chassis.protos import to_timestamp
from tests.fix_accesses import AccessRecord
from tests.fix_ledger import NOW, TEN
from tests.fix_practice import GENERAL, Practice, offered
from tests.refusals import refusal

SERVICE = "telemed.appointment.v1.AppointmentService"
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@dataclass
class Visit:
    """What a case is about: a visit, its people, and what else an RPC may want."""

    patient_id: str = field(default_factory=lambda: str(uuid4()))
    doctor_id: str = ""
    id: str = ""


@dataclass(frozen=True)
class Case:
    """One RPC: what has happened before, who may call it, with which request, and at which time."""

    rpc: str
    role: Role
    request: Callable[[Visit], Any]
    before: str = "booked"
    at: timedelta = timedelta()
    tells_by_event: bool = False


def exact(message: type) -> Callable[[Visit], Any]:
    return lambda visit: message(
        patient_id=visit.patient_id,
        doctor_id=visit.doctor_id,
        appointment_type=GENERAL,
        appointment_date=to_timestamp(TEN + timedelta(days=1)),
        patient_notes="for nobody's log",
    )


def of_id(message: type, **fields: Any) -> Callable[[Visit], Any]:
    return lambda visit: message(id=visit.id, **fields)


AT_START = TEN - NOW
CASES = [
    Case("SmartBook", Role.PATIENT, lambda v: pb.SmartBookRequest(patient_id=v.patient_id, appointment_type=GENERAL),
         "nothing", tells_by_event=True),
    Case("Book", Role.PATIENT, exact(pb.BookRequest), "nothing", tells_by_event=True),
    Case("HoldSlot", Role.PATIENT, exact(pb.HoldSlotRequest), "nothing", tells_by_event=True),
    Case("ConfirmHold", Role.PATIENT, of_id(pb.ConfirmHoldRequest), "held", tells_by_event=True),
    Case("GetAppointment", Role.DOCTOR, of_id(pb.GetAppointmentRequest)),
    Case("ListAppointments", Role.PATIENT, lambda v: pb.ListAppointmentsRequest(patient_id=v.patient_id)),
    Case("CancelAppointment", Role.PATIENT, of_id(pb.CancelAppointmentRequest), tells_by_event=True),
    Case("RescheduleAppointment", Role.PATIENT,
         of_id(pb.RescheduleAppointmentRequest, start_time=to_timestamp(TEN + timedelta(days=1))), tells_by_event=True),
    Case("ApproveAppointment", Role.DOCTOR, of_id(pb.ApproveAppointmentRequest), "pending", tells_by_event=True),
    Case("RecordArrival", Role.SERVICE, of_id(pb.RecordArrivalRequest, participant=1), tells_by_event=True),
    Case("RateVisit", Role.PATIENT, of_id(pb.RateVisitRequest, rating=5), "completed", AT_START, tells_by_event=True),
    Case("StartAppointment", Role.DOCTOR, of_id(pb.StartAppointmentRequest), "booked", AT_START, tells_by_event=True),
    Case("CompleteAppointment", Role.DOCTOR, of_id(pb.CompleteAppointmentRequest), "started", AT_START,
         tells_by_event=True),
    Case("MarkNoShow", Role.DOCTOR, of_id(pb.MarkNoShowRequest), "booked", AT_START, tells_by_event=True),
    Case("CheckConflicts", Role.PATIENT, lambda v: pb.CheckConflictsRequest(
        doctor_id=v.doctor_id, start_time=to_timestamp(TEN), end_time=to_timestamp(TEN + timedelta(minutes=30)))),
    Case("ListEvents", Role.DOCTOR, of_id(history_pb2.ListEventsRequest)),
    Case("GetStats", Role.PATIENT, lambda v: statistics_pb2.GetStatsRequest(patient_id=v.patient_id)),
    Case("WatchChanges", Role.PATIENT, lambda v: pb.WatchChangesRequest(patient_id=v.patient_id)),
]  # fmt: skip


@pytest.fixture
def record(appointment_db_url: str) -> AccessRecord:
    return AccessRecord("appointment", appointment_db_url)


async def prepared(practice: Practice, case: Case) -> Visit:
    """The visit that the case is about, with everything before the call done by an administrator."""
    visit = Visit()
    later = offered(TEN + timedelta(days=1))
    slot = offered(TEN) if case.before != "nothing" else later
    match = practice.doctors.offer(exact_slot=slot, slots=[slot], requires_approval=case.before == "pending")
    visit.doctor_id = match.doctor_id
    if case.before != "nothing":
        book = practice.hold if case.before == "held" else practice.book
        visit.id = (await book(match, patient_id=visit.patient_id)).appointment.id
    match.exact_slot.CopyFrom(later)
    practice.now[0] = NOW + case.at
    if case.before in ("started", "completed"):
        await call(practice, "StartAppointment", pb.StartAppointmentRequest(id=visit.id), Role.ADMIN)
    if case.before == "completed":
        await call(practice, "CompleteAppointment", pb.CompleteAppointmentRequest(id=visit.id), Role.ADMIN)
    return visit


async def call(practice: Practice, rpc: str, request: Any, role: Role, subject: str | None = None) -> Any:
    metadata = [*practice.callers.metadata(role, subject), ("traceparent", TRACE)]
    answer = getattr(practice.appointments, rpc)(request, metadata=metadata, timeout=60)
    if rpc == "WatchChanges":
        first = await answer.read()
        answer.cancel()
        return first
    return await answer


def test_there_is_a_case_for_each_rpc():
    # What every service has is tested for all of them together (test_patient_data.py and its like).
    assert {f"{SERVICE}/{case.rpc}" for case in CASES} == set(TOUCHES) - set(of_patient_data(SERVICE))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rpc)
async def test_a_call_leaves_one_row_or_its_event(practice: Practice, record: AccessRecord, case: Case):
    visit = await prepared(practice, case)
    before, events = await record.last(), await record.count("event")
    subject = {Role.PATIENT: visit.patient_id, Role.DOCTOR: visit.doctor_id}.get(case.role, str(uuid4()))
    await call(practice, case.rpc, case.request(visit), case.role, subject)
    rows = await record.rows(before)
    assert await record.count("event") - events == (1 if case.tells_by_event else 0)
    if case.tells_by_event:
        assert rows == []
        return
    [row] = rows
    touch = TOUCHES[f"{SERVICE}/{case.rpc}"]
    assert (row["method"], row["action"], row["entity"]) == (f"{SERVICE}/{case.rpc}", touch.action, touch.entity)
    assert (row["actor_subject"], row["actor_role"], row["acted_by"]) == (subject, case.role, None)
    assert set(row["patient_ids"]) == {visit.patient_id}
    assert (row["outcome"], row["outcome_reason"]) == ("OK", None)
    assert row["traceparent"].split("-")[1] == TRACE.split("-")[1]
    if touch.id_field:
        assert row["entity_ids"] == [visit.id]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rpc)
async def test_a_refused_call_leaves_one_row_that_says_so(practice: Practice, record: AccessRecord, case: Case):
    visit = await prepared(practice, case)
    before, stranger = await record.last(), str(uuid4())
    request = case.request(visit)
    if case.rpc == "CheckConflicts":
        request.patient_id = visit.patient_id
    if case.rpc == "ListAppointments":
        # A filter on somebody else finds nothing, and that it was asked is a row all the same.
        assert (await call(practice, case.rpc, request, Role.PATIENT, stranger)).appointments == []
        [row] = await record.rows(before)
        assert (row["outcome"], row["patient_ids"]) == ("OK", [visit.patient_id])
        return
    error = await refusal(call(practice, case.rpc, request, Role.PATIENT, stranger))
    assert error.code() in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.PERMISSION_DENIED)
    [row] = await record.rows(before)
    assert (row["outcome"], row["actor_subject"]) == (error.code().name, stranger)
    assert row["outcome_reason"] in ("APPOINTMENT_NOT_FOUND", "PERMISSION_DENIED")
    if TOUCHES[row["method"]].id_field:
        assert row["entity_ids"] == [visit.id]
    if error.code() is grpc.StatusCode.NOT_FOUND or TOUCHES[row["method"]].patient_field:
        assert row["patient_ids"] == [visit.patient_id]


async def test_what_does_not_exist_was_asked_for_by_somebody(practice: Practice, record: AccessRecord):
    nothing = str(uuid4())
    await refusal(call(practice, "GetAppointment", pb.GetAppointmentRequest(id=nothing), Role.ADMIN))
    [row] = await record.rows()
    assert (row["outcome"], row["entity_ids"], row["patient_ids"]) == ("NOT_FOUND", [nothing], [None])


async def test_a_request_that_nobody_can_understand_leaves_nothing(practice: Practice, record: AccessRecord):
    error = await refusal(call(practice, "GetAppointment", pb.GetAppointmentRequest(id="Jane Doe"), Role.ADMIN))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert await record.rows() == []


async def test_a_list_names_everybody_whose_data_it_showed(practice: Practice, record: AccessRecord):
    first = practice.doctors.offer(exact_slot=offered(TEN), slots=[offered(TEN)])
    one = (await practice.book(first)).appointment
    practice.doctors.matches.clear()
    second = practice.doctors.offer(exact_slot=offered(TEN), slots=[offered(TEN)])
    other = (await practice.book(second)).appointment
    await call(practice, "ListAppointments", pb.ListAppointmentsRequest(), Role.ADMIN)
    [row] = await record.rows()
    shown = dict(zip(row["entity_ids"], row["patient_ids"], strict=True))
    assert shown == {one.id: one.patient_id, other.id: other.patient_id}


async def test_a_repeated_change_has_no_event_and_so_leaves_a_row(practice: Practice, record: AccessRecord):
    match = practice.doctors.offer(exact_slot=offered(TEN), slots=[offered(TEN)])
    patient = str(uuid4())
    booked = await practice.book(match, patient_id=patient, request_id="once")
    assert await record.rows() == []
    assert (await practice.book(match, patient_id=patient, request_id="once")).appointment == booked.appointment
    [row] = await record.rows()
    assert (row["method"], row["patient_ids"], row["outcome"]) == (f"{SERVICE}/Book", [patient], "OK")


async def test_numbers_of_nobody_in_particular_leave_nothing(practice: Practice, record: AccessRecord):
    await call(practice, "GetStats", statistics_pb2.GetStatsRequest(), Role.ADMIN)
    days = statistics_pb2.GetBookingAnalyticsRequest()
    await call(practice, "GetBookingAnalytics", days, Role.ADMIN)
    assert await record.rows() == []


async def test_a_watcher_of_nobody_in_particular_leaves_what_they_watch(practice: Practice, record: AccessRecord):
    watch = pb.WatchChangesRequest(doctor_id=str(uuid4()), kinds=[appointment_pb2.CHANGE_KIND_BOOKED])
    await call(practice, "WatchChanges", watch, Role.SERVICE, "video")
    [row] = await record.rows()
    assert (row["actor_subject"], row["query"]) == ("video", f"doctor_id={watch.doctor_id}&kinds=BOOKED")


async def test_whoever_breaks_the_glass_leaves_their_words_in_a_row(practice: Practice, record: AccessRecord):
    match = practice.doctors.offer(exact_slot=offered(TEN), slots=[offered(TEN)])
    visit = (await practice.book(match)).appointment
    doctor = str(uuid4())
    metadata = [*practice.callers.metadata(Role.DOCTOR, doctor), (break_glass.METADATA, "found unconscious")]
    request = pb.GetAppointmentRequest(id=visit.id)
    await practice.appointments.GetAppointment(request, metadata=metadata, timeout=60)
    [row] = await record.rows()
    assert (row["actor_subject"], row["purpose"], row["reason"]) == (doctor, "BTG", "found unconscious")
    assert (row["patient_ids"], row["outcome"]) == ([visit.patient_id], "OK")
    assert await record.faults() == []


async def test_whoever_acts_for_a_patient_is_named_in_rows_and_in_events(practice: Practice, record: AccessRecord):
    match = practice.doctors.offer(exact_slot=offered(TEN), slots=[offered(TEN)])
    patient, guardian = str(uuid4()), str(uuid4())
    metadata = practice.callers.metadata(Role.PATIENT, patient, actor=guardian)
    wish = pb.BookRequest(patient_id=patient, doctor_id=match.doctor_id, appointment_type=GENERAL)
    wish.appointment_date.CopyFrom(to_timestamp(TEN))
    visit = (await practice.appointments.Book(wish, metadata=metadata, timeout=60)).appointment
    await practice.appointments.GetAppointment(pb.GetAppointmentRequest(id=visit.id), metadata=metadata, timeout=60)
    cancel = pb.CancelAppointmentRequest(id=visit.id, reason="well again")
    await practice.appointments.CancelAppointment(cancel, metadata=metadata, timeout=60)
    [row] = await record.rows()
    assert (row["actor_subject"], row["acted_by"], row["purpose"]) == (patient, guardian, "PATRQT")
    acted = await record.select("SELECT kind, actor_subject, acted_by, purpose FROM event ORDER BY event_id")
    assert acted == [("BOOKED", patient, guardian, None), ("CANCELLED", patient, guardian, None)]


async def test_whoever_acts_for_themselves_is_named_once(practice: Practice, record: AccessRecord):
    match = practice.doctors.offer(exact_slot=offered(TEN), slots=[offered(TEN)])
    await practice.book(match)
    assert await record.select("SELECT acted_by, purpose FROM event") == [(None, None)]
