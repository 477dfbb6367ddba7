"""Moving an appointment over gRPC, with a doctor service that says what the test wants."""

from datetime import datetime, timedelta
from typing import Any

from telemed.appointment.v1 import appointment_pb2
from telemed.appointment.v1 import appointment_service_pb2 as pb
from telemed.type.v1 import scheduling_pb2

from chassis.context import Role
from chassis.protos import to_timestamp
from tests.fix_ledger import NOW, TEN
from tests.fix_practice import ADMIN, Practice, offered
from tests.refusals import detail, reason_of, refusal


def move_to(appointment: appointment_pb2.Appointment, start: datetime, **fields: Any) -> Any:
    return pb.RescheduleAppointmentRequest(id=appointment.id, start_time=to_timestamp(start), **fields)


async def test_a_moved_appointment_keeps_its_id_and_frees_its_old_time(practice: Practice):
    later = TEN + timedelta(minutes=10)
    match = practice.doctors.offer(exact_slot=offered(TEN))
    booked = (await practice.book(match)).appointment
    match.exact_slot.CopyFrom(offered(later))
    order = move_to(booked, later, request_id="m-1", etag=booked.etag)
    admin = practice.callers.metadata(Role.ADMIN, ADMIN)
    moved = await practice.appointments.RescheduleAppointment(order, metadata=admin)
    assert (moved.appointment.id, moved.appointment.start_time) == (booked.id, to_timestamp(later))
    assert await practice.appointments.RescheduleAppointment(order, metadata=admin) == moved
    earlier = TEN - timedelta(minutes=30)
    match.exact_slot.CopyFrom(offered(earlier))
    assert (await practice.book(match, start=earlier)).appointment.start_time == to_timestamp(earlier)


async def test_a_move_to_a_taken_time_keeps_the_old_one_and_names_others(practice: Practice):
    later = TEN + timedelta(minutes=40)
    match = practice.doctors.offer(exact_slot=offered(later), slots=[offered(TEN + timedelta(hours=3))])
    await practice.book(match, start=later)
    match.exact_slot.CopyFrom(offered(TEN))
    booked = (await practice.book(match)).appointment
    match.exact_slot.CopyFrom(offered(later))
    admin = practice.callers.metadata(Role.ADMIN)
    error = await refusal(practice.appointments.RescheduleAppointment(move_to(booked, later), metadata=admin))
    assert reason_of(error) == "SLOT_TAKEN"
    assert detail(error, scheduling_pb2.Alternatives()).slots
    match.exact_slot.CopyFrom(offered(TEN))
    error = await refusal(practice.book(match))
    assert reason_of(error) == "SLOT_TAKEN", "the old time was kept"
    seen = await practice.appointments.GetAppointment(pb.GetAppointmentRequest(id=booked.id), metadata=admin)
    assert seen == booked


async def test_a_patient_moves_a_visit_two_days_ahead_or_not_at_all(practice: Practice):
    start, later = NOW + timedelta(hours=47, minutes=59), NOW + timedelta(days=5)
    match = practice.doctors.offer(exact_slot=offered(start))
    booked = (await practice.book(match, start=start)).appointment
    match.exact_slot.CopyFrom(offered(later))
    patient = practice.callers.metadata(Role.PATIENT, booked.patient_id)
    error = await refusal(practice.appointments.RescheduleAppointment(move_to(booked, later), metadata=patient))
    assert reason_of(error) == "TOO_LATE_TO_RESCHEDULE"
    doctor = practice.callers.metadata(Role.DOCTOR, match.doctor_id)
    moved = await practice.appointments.RescheduleAppointment(move_to(booked, later), metadata=doctor)
    assert moved.appointment.start_time == to_timestamp(later)


async def test_a_move_outside_the_hours_is_refused(practice: Practice):
    match = practice.doctors.offer(exact_slot=offered(TEN))
    booked = (await practice.book(match)).appointment
    match.ClearField("exact_slot")
    order = move_to(booked, TEN + timedelta(hours=12))
    error = await refusal(
        practice.appointments.RescheduleAppointment(order, metadata=practice.callers.metadata(Role.ADMIN))
    )
    assert reason_of(error) == "OUTSIDE_WORKING_HOURS"
