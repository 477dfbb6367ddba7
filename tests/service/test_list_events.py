"""ListEvents over gRPC: the whole story of an appointment, to those whose it is."""

from datetime import timedelta
from uuid import uuid4

import pytest
from telemed.appointment.v1 import appointment_pb2, history_pb2
from telemed.appointment.v1 import appointment_service_pb2 as pb

from appointment_svc.domain.appointment import Appointment
from chassis.context import Role
from chassis.protos import to_timestamp
from chassis.sql import Query
from tests.fix_ledger import NOW, STAFF, TEN
from tests.fix_records import Records
from tests.refusals import fields_of, reason_of, refusal

BOOKED, CANCELLED = appointment_pb2.CHANGE_KIND_BOOKED, appointment_pb2.CHANGE_KIND_CANCELLED
STARTED = appointment_pb2.CHANGE_KIND_IN_PROGRESS
CONFIRMED = appointment_pb2.APPOINTMENT_STATUS_CONFIRMED


async def events(
    records: Records, appointment_id: str, role: Role = Role.ADMIN, subject: str | None = None, **page: object
) -> history_pb2.ListEventsResponse:
    return await records.call("ListEvents", history_pb2.ListEventsRequest(id=appointment_id, **page), role, subject)


async def test_a_history_tells_who_did_what_when_why_and_what_changed(records: Records):
    visit = await records.booked()
    records.now[0] = NOW + timedelta(minutes=5)
    cancel = pb.CancelAppointmentRequest(id=visit.id, reason="I am well again")
    await records.call("CancelAppointment", cancel, Role.PATIENT, visit.patient_id)
    first, second = (await events(records, visit.id)).events
    assert (first.version, first.kind, first.actor_role) == (1, BOOKED, history_pb2.ACTOR_ROLE_ADMIN)
    assert (first.actor_id, first.reason, first.event_time) == (STAFF.subject, "", to_timestamp(NOW))
    assert not first.HasField("before")
    assert (first.after.id, first.after.status, first.after.start_time) == (visit.id, CONFIRMED, to_timestamp(TEN))
    assert (second.version, second.kind, second.actor_role) == (2, CANCELLED, history_pb2.ACTOR_ROLE_PATIENT)
    assert (second.actor_id, second.reason) == (visit.patient_id, "I am well again")
    assert second.event_time == to_timestamp(NOW + timedelta(minutes=5))
    assert second.before == first.after
    assert second.after.status == appointment_pb2.APPOINTMENT_STATUS_CANCELLED
    assert second.after.cancel_reason == "", "snapshots carry no words"


async def test_the_trace_of_the_call_that_did_it_is_told(records: Records):
    visit, trace = await records.booked(), "4bf92f3577b34da6a3ce929d0e0e4736"
    metadata = [*records.callers.metadata(Role.ADMIN), ("traceparent", f"00-{trace}-00f067aa0ba902b7-01")]
    await records.service.CancelAppointment(pb.CancelAppointmentRequest(id=visit.id), metadata=metadata, timeout=20)
    assert (await events(records, visit.id)).events[1].trace_id == trace


async def note_override(records: Records, visit: Appointment) -> None:
    """An event with words of an administrator's, as a rule that was passed over leaves it."""
    insert = """
        WITH written AS (
            INSERT INTO event (appointment_id, version, kind, event_time, patient_id, doctor_id, actor_subject,
                               actor_role, reason, after, traceparent)
            SELECT appointment_id, 2, 'IN_PROGRESS', event_time, patient_id, doctor_id, %(staff)s, 'admin',
                   'the patient complained', after, '' FROM event WHERE appointment_id = %(id)s::uuid
            RETURNING event_id
        ) INSERT INTO event_pending SELECT event_id FROM written"""
    await records.ledger.database.execute(Query("note", insert), {"id": visit.id, "staff": STAFF.subject})


async def test_a_patient_is_not_told_the_staffs_names_and_words(records: Records):
    visit = await records.booked()
    await note_override(records, visit)
    for role, subject in ((Role.ADMIN, None), (Role.DOCTOR, visit.doctor_id)):
        told = (await events(records, visit.id, role, subject)).events
        assert [(e.actor_id, e.reason) for e in told] == [
            (STAFF.subject, ""), (STAFF.subject, "the patient complained")
        ]  # fmt: skip
    told = (await events(records, visit.id, Role.PATIENT, visit.patient_id)).events
    assert [(e.kind, e.actor_id, e.reason) for e in told] == [(BOOKED, "", ""), (STARTED, "", "")]
    assert {e.actor_role for e in told} == {history_pb2.ACTOR_ROLE_ADMIN}


async def test_a_patient_is_told_their_doctor_and_why_a_visit_was_called_off(records: Records):
    visit = await records.booked()
    cancel = pb.CancelAppointmentRequest(id=visit.id, reason="I am ill")
    await records.call("CancelAppointment", cancel, Role.DOCTOR, visit.doctor_id)
    _, second = (await events(records, visit.id, Role.PATIENT, visit.patient_id)).events
    assert (second.actor_id, second.reason) == (visit.doctor_id, "I am ill")


@pytest.mark.parametrize("role", [Role.PATIENT, Role.DOCTOR])
async def test_someone_elses_history_does_not_exist(records: Records, role: Role):
    visit = await records.booked()
    for appointment_id in (visit.id, str(uuid4())):
        error = await refusal(events(records, appointment_id, role))
        assert reason_of(error) == "APPOINTMENT_NOT_FOUND"


async def test_a_history_in_pages_is_the_same_history(records: Records):
    visit = await records.booked(start=NOW + timedelta(minutes=10))
    for rpc, request in (
        ("StartAppointment", pb.StartAppointmentRequest),
        ("CompleteAppointment", pb.CompleteAppointmentRequest),
    ):
        await records.call(rpc, request(id=visit.id))
    whole = list((await events(records, visit.id)).events)
    assert [event.version for event in whole] == [1, 2, 3]
    for size in (1, 2, 3):
        seen, token, pages = [], "", 0
        while pages == 0 or token:
            page = await events(records, visit.id, page_size=size, page_token=token)
            seen, token, pages = [*seen, *page.events], page.next_page_token, pages + 1
        assert (seen, pages) == (whole, -(-len(whole) // size))


@pytest.mark.parametrize(
    ("field", "value"),
    [("id", "x"), ("page_size", -1), ("page_size", 201), ("page_token", "x"), ("page_token", "LTE=")],
)
async def test_a_bad_field_is_named(records: Records, field: str, value: object):
    fields = {"id": str(uuid4())} | {field: value}
    error = await refusal(records.call("ListEvents", history_pb2.ListEventsRequest(**fields)))
    assert fields_of(error) == [field]
