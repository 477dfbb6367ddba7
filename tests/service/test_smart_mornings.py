"""Smart bookings in a crowd: a whole morning is filled to its last slot, and whoever finds none is told just that."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import uuid4

import grpc
import pytest
from telemed.appointment.v1 import appointment_service_pb2 as pb
from telemed.type.v1 import scheduling_pb2

from doctor_svc.domain.availability import WallBlock
from doctor_svc.domain.doctor import Doctor
from kernel.appointment_types import AppointmentType
from tests.fix_doctors import a_doctor, a_rule, seed
from tests.fix_pair import GENERAL, Pair
from tests.refusals import detail, reason_of, refusal

BOOKERS, SLOTS = 80, 40
RENEWAL = scheduling_pb2.APPOINTMENT_TYPE_PRESCRIPTION_RENEWAL
WEDNESDAY = {"year": 2026, "month": 3, "day": 4}
SIX = datetime.fromisoformat("2026-03-04T06:00:00+00:00")


async def with_mornings(pair: Pair, **rule: Any) -> Doctor:
    """A doctor with a specialty of their own and the same hours every day."""
    doctor = a_doctor(specialty=f"Balneology {uuid4().hex[:8]}")
    await seed(pair.doctor_db, [doctor], [a_rule(doctor, day, **rule) for day in range(7)])
    return doctor


def wish_of(doctor: Doctor, patient: str = "", **fields: Any) -> pb.SmartBookRequest:
    wish = {"appointment_type": GENERAL, "preferred_date": WEDNESDAY} | fields
    return pb.SmartBookRequest(patient_id=patient or str(uuid4()), specialty_required=doctor.profile.specialty, **wish)


def started(appointment: Any) -> datetime:
    start: datetime = appointment.start_time.ToDatetime(tzinfo=UTC)
    return start


@pytest.mark.timeout(300)
async def test_a_crowd_fills_a_morning_of_more_slots_than_one_look_shows_exactly(pair: Pair):
    doctor = await with_mornings(
        pair,
        morning=WallBlock(time(6), time(9, 20)),
        kind=AppointmentType.PRESCRIPTION_RENEWAL,
        duration=timedelta(minutes=5),
        buffer=timedelta(),
    )

    async def smart() -> str | datetime:
        wish = wish_of(doctor, appointment_type=RENEWAL, duration_minutes=5)
        try:
            return started((await pair.appointments.SmartBook(wish, metadata=pair.admin(), timeout=120)).appointment)
        except grpc.aio.AioRpcError as error:
            return reason_of(error)

    outcomes = await asyncio.gather(*(smart() for _ in range(BOOKERS)))
    refused = Counter(outcome for outcome in outcomes if isinstance(outcome, str))
    booked = sorted(outcome for outcome in outcomes if isinstance(outcome, datetime))
    assert booked == [SIX + timedelta(minutes=5 * count) for count in range(SLOTS)]
    assert refused == {"NO_AVAILABILITY": BOOKERS - SLOTS}


async def test_the_window_is_strict_unless_another_time_is_accepted(pair: Pair):
    doctor = await with_mornings(pair)
    window = {"preferred_time_start": {"hours": 13}, "preferred_time_end": {"hours": 15}}
    error = await refusal(pair.appointments.SmartBook(wish_of(doctor, **window), metadata=pair.admin()))
    assert reason_of(error) == "NO_AVAILABILITY"
    assert detail(error, scheduling_pb2.Alternatives()).slots
    accepting = wish_of(doctor, **window, accept_outside_window=True)
    booked = await pair.appointments.SmartBook(accepting, metadata=pair.admin())
    assert started(booked.appointment) == SIX.replace(hour=11), "the nearest to the window"


async def test_without_a_date_it_is_the_earliest_with_notice_enough(pair: Pair):
    doctor = await with_mornings(pair)
    anywhen = wish_of(doctor, preferred_date=None)
    booked = await pair.appointments.SmartBook(anywhen, metadata=pair.admin())
    assert started(booked.appointment) == datetime.fromisoformat("2026-03-02T09:00:00+00:00")


async def test_a_patients_own_visits_are_gone_around(pair: Pair):
    doctor, patient = await with_mornings(pair), str(uuid4())
    nine = SIX.replace(hour=9)
    await pair.claim(str(uuid4()), nine + timedelta(minutes=10), patient)
    booked = await pair.appointments.SmartBook(wish_of(doctor, patient), metadata=pair.admin())
    assert started(booked.appointment) == nine + timedelta(minutes=40)
    alternatives = [started(slot) for slot in booked.alternative_slots]
    assert alternatives
    assert nine not in alternatives


async def test_a_patient_busy_all_the_morning_is_told_so(pair: Pair):
    doctor, patient = await with_mornings(pair), str(uuid4())
    await pair.claim(str(uuid4()), SIX.replace(hour=9), patient, minutes=180)
    error = await refusal(pair.appointments.SmartBook(wish_of(doctor, patient), metadata=pair.admin()))
    assert reason_of(error) == "PATIENT_BUSY"
    offered = detail(error, scheduling_pb2.Alternatives()).slots
    assert all(started(slot).date() != SIX.date() for slot in offered)


async def test_the_doctor_whom_the_patient_knows_comes_first_also_in_the_alternatives(pair: Pair):
    known = await with_mornings(pair)
    other = a_doctor(specialty=known.profile.specialty, rating=5.0, rating_count=50, years_experience=30)
    await seed(pair.doctor_db, [other], [a_rule(other, day) for day in range(7)])
    patient = str(uuid4())
    visit = (await pair.book(known.doctor_id, pair.now + timedelta(hours=21), patient)).appointment
    pair.now += timedelta(hours=21)
    staff = pair.admin()
    await pair.appointments.StartAppointment(pb.StartAppointmentRequest(id=visit.id), metadata=staff)
    over = await pair.appointments.CompleteAppointment(pb.CompleteAppointmentRequest(id=visit.id), metadata=staff)
    pair.revision = over.revision
    await pair.caught_up()
    booked = await pair.appointments.SmartBook(wish_of(known, patient), metadata=staff)
    assert booked.is_preferred_doctor
    assert booked.appointment.doctor_id == known.doctor_id
    doctors = [slot.doctor_id for slot in booked.alternative_slots]
    assert doctors == [known.doctor_id] * 3 + [other.doctor_id] * 3
