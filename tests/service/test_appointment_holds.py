"""Holds over gRPC: who may hold and confirm, until when, and what a doctor who approves makes of it."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import grpc
import pytest
from telemed.appointment.v1 import appointment_pb2
from telemed.appointment.v1 import appointment_service_pb2 as pb
from telemed.type.v1 import scheduling_pb2

from chassis.context import Role
from chassis.protos import to_timestamp
from tests.fix_ledger import NOW, TEN
from tests.fix_practice import GENERAL, POLICY_VERSION, Practice, offered
from tests.refusals import detail, fields_of, reason_of, refusal

HELD = appointment_pb2.APPOINTMENT_STATUS_HELD
PENDING = appointment_pb2.APPOINTMENT_STATUS_PENDING
CONFIRMED = appointment_pb2.APPOINTMENT_STATUS_CONFIRMED
TTL = timedelta(minutes=10)
A_MINUTE = timedelta(minutes=1)


async def test_a_hold_tells_until_when_and_becomes_an_appointment(practice: Practice):
    match = practice.doctors.offer(exact_slot=offered(TEN))
    held = await practice.hold(match)
    assert held.appointment.status == HELD
    assert held.appointment.hold_expire_time == to_timestamp(NOW + TTL)
    assert held.appointment.match_policy_version == POLICY_VERSION
    assert held.doctor_match_score == 0.5
    assert list(held.match_reasons) == ["Specializes in cardiology"]
    practice.now[0] += TTL - A_MINUTE
    confirmed = (await practice.confirm(held.appointment.id)).appointment
    assert confirmed.status == CONFIRMED
    assert not confirmed.HasField("hold_expire_time")
    practice.now[0] += TTL
    error = await refusal(practice.book(match))
    assert reason_of(error) == "SLOT_TAKEN"


async def test_what_has_run_out_is_confirmed_no_more_and_is_free_at_once(practice: Practice):
    match = practice.doctors.offer(exact_slot=offered(TEN))
    held = await practice.hold(match)
    error = await refusal(practice.book(match))
    assert reason_of(error) == "SLOT_TAKEN"
    practice.now[0] += TTL
    error = await refusal(practice.confirm(held.appointment.id))
    assert (error.code(), reason_of(error)) == (grpc.StatusCode.FAILED_PRECONDITION, "HOLD_EXPIRED")
    assert (await practice.book(match)).appointment.start_time == to_timestamp(TEN)
    error = await refusal(practice.confirm(held.appointment.id))
    assert reason_of(error) == "HOLD_EXPIRED", "told the same when somebody else has the time"


async def test_a_hold_without_a_doctor_takes_the_best_who_works_then(practice: Practice):
    best = practice.doctors.offer(exact_slot=offered(TEN))
    second = practice.doctors.offer(exact_slot=offered(TEN))
    helds = [await practice.hold(best, doctor_id="") for _ in range(2)]
    assert [held.appointment.doctor_id for held in helds] == [best.doctor_id, second.doctor_id]


async def test_twins_hold_once_and_confirm_once(practice: Practice):
    match, patient = practice.doctors.offer(exact_slot=offered(TEN)), str(uuid4())
    helds = await asyncio.gather(*(practice.hold(match, patient_id=patient, request_id="h-1") for _ in range(9)))
    assert len({held.SerializeToString(deterministic=True) for held in helds}) == 1
    confirm = {"request_id": "c-1", "etag": helds[0].appointment.etag}
    answers = await asyncio.gather(*(practice.confirm(helds[0].appointment.id, **confirm) for _ in range(9)))
    assert len({answer.SerializeToString(deterministic=True) for answer in answers}) == 1
    error = await refusal(practice.confirm(helds[0].appointment.id))
    assert reason_of(error) == "WRONG_STATE"


async def test_a_patient_lets_go_of_a_hold_without_any_notice(practice: Practice):
    start = NOW + timedelta(hours=3)
    match = practice.doctors.offer(exact_slot=offered(start))
    held = (await practice.hold(match, start=start)).appointment
    patient = practice.callers.metadata(Role.PATIENT, held.patient_id)
    gone = await practice.appointments.CancelAppointment(pb.CancelAppointmentRequest(id=held.id), metadata=patient)
    assert gone.appointment.status == appointment_pb2.APPOINTMENT_STATUS_CANCELLED
    assert not gone.appointment.HasField("hold_expire_time")
    assert (await practice.hold(match, start=start)).appointment.status == HELD


async def test_a_doctor_who_approves_makes_bookings_and_confirmed_holds_pending(practice: Practice):
    later = TEN + timedelta(hours=1)
    match = practice.doctors.offer(exact_slot=offered(TEN), slots=[offered(later)], requires_approval=True)
    held = await practice.hold(match)
    practice.doctors.calls = 0
    assert (await practice.confirm(held.appointment.id)).appointment.status == PENDING
    assert practice.doctors.calls == 0, "a confirmation asks nobody"
    assert (await practice.smart_book()).appointment.status == PENDING
    match.exact_slot.CopyFrom(offered(TEN + timedelta(hours=2)))
    booked = await practice.book(match, start=TEN + timedelta(hours=2))
    assert booked.appointment.status == PENDING


async def test_a_doctor_who_has_enough_that_day_is_told_of_with_times_elsewhere(practice: Practice):
    tomorrow = TEN + timedelta(days=1)
    match = practice.doctors.offer(exact_slot=offered(TEN), max_daily_appointments=2, slots=[
        offered(TEN + timedelta(hours=5)), offered(tomorrow),
    ])  # fmt: skip
    await practice.book(match)
    match.exact_slot.CopyFrom(offered(TEN + timedelta(hours=1)))
    await practice.hold(match, start=TEN + timedelta(hours=1))
    match.exact_slot.CopyFrom(offered(TEN + timedelta(hours=2)))
    error = await refusal(practice.book(match, start=TEN + timedelta(hours=2)))
    assert (error.code(), reason_of(error)) == (grpc.StatusCode.FAILED_PRECONDITION, "DOCTOR_DAY_FULL")
    assert "at most 2 visits a day and 2026-03-04 is full" in (error.details() or "")
    slots = detail(error, scheduling_pb2.Alternatives()).slots
    assert [slot.start_time for slot in slots] == [to_timestamp(tomorrow)]
    assert (await practice.smart_book()).appointment.start_time == to_timestamp(tomorrow)


async def test_a_hold_of_someone_else_is_nobodys_to_confirm(practice: Practice):
    held = (await practice.hold(practice.doctors.offer(exact_slot=offered(TEN)))).appointment
    for stranger in (Role.PATIENT, Role.DOCTOR):
        call = practice.appointments.ConfirmHold(
            pb.ConfirmHoldRequest(id=held.id), metadata=practice.callers.metadata(stranger)
        )
        assert reason_of(await refusal(call)) == "APPOINTMENT_NOT_FOUND"
    mine = practice.callers.metadata(Role.PATIENT, held.patient_id)
    confirmed = await practice.appointments.ConfirmHold(pb.ConfirmHoldRequest(id=held.id), metadata=mine)
    assert confirmed.appointment.status == CONFIRMED


async def test_a_patient_holds_for_nobody_else(practice: Practice):
    request = pb.HoldSlotRequest(patient_id=str(uuid4()), appointment_date=to_timestamp(TEN), appointment_type=GENERAL)
    error = await refusal(practice.appointments.HoldSlot(request, metadata=practice.callers.metadata(Role.PATIENT)))
    assert error.code() is grpc.StatusCode.PERMISSION_DENIED


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"patient_id": ""}, "patient_id"),
        ({"doctor_id": "nobody"}, "doctor_id"),
        ({"appointment_type": 77}, "appointment_type"),
        ({"duration_minutes": 4}, "duration_minutes"),
        ({"timezone": "Mars"}, "timezone"),
        ({"specialty_required": "x" * 101}, "specialty_required"),
        ({"patient_notes": "x" * 2001}, "patient_notes"),
        ({"request_id": "two words"}, "request_id"),
    ],
)
async def test_bad_fields_are_named(practice: Practice, fields: dict[str, Any], named: str):
    error = await refusal(practice.hold(practice.doctors.offer(exact_slot=offered(TEN)), **fields))
    assert (error.code(), fields_of(error)) == (grpc.StatusCode.INVALID_ARGUMENT, [named])
    assert practice.doctors.calls == 0
