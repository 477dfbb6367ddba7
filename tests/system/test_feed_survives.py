"""The doctor service's copy of the ledger is exact again after the worst."""

import asyncio
import os
import signal
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import uuid4

import grpc
from google.protobuf.timestamp_pb2 import Timestamp
from telemed.appointment.v1 import appointment_service_pb2 as pb
from telemed.appointment.v1.appointment_service_pb2_grpc import AppointmentServiceStub
from telemed.type.v1 import scheduling_pb2

from tests.fix_clinic import Clinic, in_days
from tests.fix_stack import wait_until

BOOKINGS = 500
LEDGER = """
    SELECT c.appointment_id::text, c.doctor_id::text, c.seat, c.occupied::text FROM doctor_claim c ORDER BY 1
"""
COPY = """
    SELECT appointment_id::text, doctor_id::text, seat, occupied::text FROM visit
    WHERE status IN ('HELD', 'PENDING', 'CONFIRMED', 'IN_PROGRESS') ORDER BY 1
"""


def starts() -> list[Timestamp]:
    """Every grid time of a doctor of the tests on the 80 days that begin in a week."""
    found = []
    for day in range(7, 87):
        midnight = datetime.fromisoformat(f"{in_days(day)}T00:00:00+00:00")
        for minutes in (540, 580, 620, 660, 840, 880, 920, 960):
            stamp = Timestamp()
            stamp.FromDatetime(midnight + timedelta(minutes=minutes))
            found.append(stamp)
    return found


async def book(stub: Any, doctor: str, start: Timestamp, metadata: Any) -> bool:
    """Books until the answer is known: a kill in the middle is UNAVAILABLE, and the key makes the repeat safe."""
    wish = pb.BookRequest(
        patient_id=str(uuid4()),
        doctor_id=doctor,
        appointment_date=start,
        appointment_type=scheduling_pb2.APPOINTMENT_TYPE_GENERAL_CONSULTATION,
        request_id=str(uuid4()),
    )
    for _ in range(200):
        try:
            await stub.Book(wish, metadata=metadata, timeout=20)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE:
                raise
            await asyncio.sleep(0.1)
        else:
            return True
    return False


async def test_a_doctor_service_killed_amid_five_hundred_bookings_ends_with_the_ledgers_busy_times(clinic: Clinic):
    doctor = clinic.new_doctor()
    times = list(islice(starts(), BOOKINGS))
    gate = asyncio.Semaphore(8)
    booked = 0
    async with grpc.aio.insecure_channel(clinic.target("appointment")) as channel:
        stub, metadata = AppointmentServiceStub(channel), clinic.metadata()

        async def one(start: Timestamp) -> bool:
            nonlocal booked
            async with gate:
                done = await book(stub, doctor, start, metadata)
                booked += 1
                return done

        tasks = [asyncio.create_task(one(start)) for start in times]
        for threshold in (BOOKINGS // 4, BOOKINGS // 2):
            while booked < threshold:  # noqa: ASYNC110 - counted by the tasks above
                await asyncio.sleep(0.01)
            victim = clinic.state.processes["doctor"].pid
            assert victim is not None
            os.kill(victim, signal.SIGKILL)
        assert all(await asyncio.gather(*tasks))
    assert clinic.state.processes["doctor"].restarts >= 1
    await asyncio.to_thread(
        wait_until, lambda: clinic.rows("appointment", LEDGER) == clinic.rows("doctor", COPY), "the copy is exact"
    )
    mine = [row for row in clinic.rows("doctor", COPY) if row[1] == doctor]
    assert len(mine) == BOOKINGS


def test_revisions_are_numbered_without_a_gap(clinic: Clinic):
    [(count, lowest, highest, events)] = clinic.rows(
        "appointment", "SELECT count(*), min(revision), max(revision), (SELECT count(*) FROM event) FROM feed"
    )
    assert (lowest, count) == (1, highest)
    assert count <= events
