"""Two hundred people want one slot, through the whole stack, twenty times over."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from telemed.appointment.v1 import appointment_service_pb2 as pb
from telemed.appointment.v1.appointment_service_pb2_grpc import AppointmentServiceStub
from telemed.type.v1 import scheduling_pb2

from chassis.context import Role
from tests.fix_clinic import WEEKDAY_RULE, Clinic, in_days
from tests.refusals import reason_of

BOOKERS = 200
ROUNDS = 20
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


def at(day: int, minutes: int) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(datetime.fromisoformat(f"{in_days(day)}T00:00:00+00:00") + timedelta(minutes=minutes))
    return stamp


async def outcome(stub: Any, doctor: str, start: Timestamp, clinic: Clinic) -> str:
    patient = str(uuid4())
    wish = pb.BookRequest(
        patient_id=patient,
        doctor_id=doctor,
        appointment_date=start,
        appointment_type=scheduling_pb2.APPOINTMENT_TYPE_GENERAL_CONSULTATION,
    )
    try:
        await stub.Book(wish, metadata=clinic.metadata(Role.PATIENT, patient), timeout=30)
    except grpc.aio.AioRpcError as error:
        return reason_of(error)
    return "BOOKED"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("offsets", [(0,), (0, 10, 20)], ids=["one start", "overlapping starts"])
async def test_exactly_one_wins_each_round_and_the_rest_are_told_why(clinic: Clinic, offsets: tuple[int, ...]):
    doctor = clinic.new_doctor()
    async with grpc.aio.insecure_channel(clinic.target("appointment")) as channel:
        stub = AppointmentServiceStub(channel)
        for number in range(ROUNDS):
            starts = [at(7 + number, 600 + offsets[booker % len(offsets)]) for booker in range(BOOKERS)]
            outcomes = await asyncio.gather(*(outcome(stub, doctor, start, clinic) for start in starts))
            assert Counter(outcomes) == {"BOOKED": 1, "SLOT_TAKEN": BOOKERS - 1}
    assert clinic.rows("appointment", DEADLOCKS) == [(0,)]


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("minutes", "buffer", "slots"), [(30, 10, 4), (5, 0, 36)])
async def test_two_hundred_smart_bookings_fill_a_morning_exactly(clinic: Clinic, minutes: int, buffer: int, slots: int):
    """Thirty-six slots are more than one answer of the doctor service shows."""
    specialty = f"Balneology {uuid4().hex[:6]}"
    doctor = clinic.new_doctor(specialty=specialty, days=range(0))
    day = in_days(10)
    hours = {"day_of_week": day.isoweekday() % 7, "duration_minutes": minutes, "buffer_minutes": buffer}
    clinic.ok("POST", f"/doctors/{doctor}/availability", WEEKDAY_RULE | hours)

    async def smart(stub: Any) -> str:
        patient = str(uuid4())
        wish = pb.SmartBookRequest(
            patient_id=patient,
            appointment_type=scheduling_pb2.APPOINTMENT_TYPE_GENERAL_CONSULTATION,
            duration_minutes=minutes,
            specialty_required=specialty,
            preferred_date={"year": day.year, "month": day.month, "day": day.day},
            preferred_time_start={"hours": 9},
            preferred_time_end={"hours": 12},
        )
        try:
            reply = await stub.SmartBook(wish, metadata=clinic.metadata(Role.PATIENT, patient), timeout=30)
        except grpc.aio.AioRpcError as error:
            return reason_of(error)
        assert reply.appointment.doctor_id == doctor
        return "BOOKED"

    async with grpc.aio.insecure_channel(clinic.target("appointment")) as channel:
        stub = AppointmentServiceStub(channel)
        outcomes = await asyncio.gather(*(smart(stub) for _ in range(BOOKERS)))
    assert Counter(outcomes) == {"BOOKED": slots, "NO_AVAILABILITY": BOOKERS - slots}
