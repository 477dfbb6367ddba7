"""A patient moves a visit in a group and books that group again at that moment: nobody waits in a circle."""

import asyncio
import random
from datetime import timedelta
from uuid import uuid4

import pytest

from appointment_svc.app.ports import ChangeOrder, NewTime, Outcome
from chassis.sql import Query
from kernel.appointment_types import AppointmentType
from tests.fix_ledger import NOW, STAFF, TEN, LedgerBench, draft, order

DEADLOCKS = Query("deadlocks", "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
GROUP = {"kind": AppointmentType.GROUP_SESSION, "capacity": 2, "minutes": 60}
HALF_PAST = TEN + timedelta(minutes=30)
ROUNDS = 150


@pytest.mark.timeout(120)
async def test_a_move_and_bookings_of_one_patient_in_one_group_do_not_deadlock(bench: LedgerBench):
    rng = random.Random(1)  # noqa: S311 - a seeded race, no secret
    for _ in range(ROUNDS):
        doctor, patient = str(uuid4()), str(uuid4())
        other = draft(doctor_id=doctor, patient_id=str(uuid4()), **GROUP)
        mine = draft(doctor_id=doctor, patient_id=patient, **GROUP)
        for one in (other, mine):
            assert (await bench.ledger.book(order([one]))).outcome is Outcome.BOOKED
        # The other's seat is free again, so that a booking finds one beside the claim that is about to move.
        cancel = ChangeOrder(STAFF, "CancelAppointment", other.appointment.id, None, lambda _: b"")
        await bench.appointments.change(cancel, NOW, lambda a: a.cancelled("", NOW, timedelta.min))

        async def move(doctor: str = doctor, appointment_id: str = mine.appointment.id) -> bytes:
            await asyncio.sleep(rng.uniform(0, 0.003))
            slot = draft(doctor_id=doctor, patient_id="-", start=HALF_PAST, **GROUP).candidate.slot
            change = ChangeOrder(STAFF, "RescheduleAppointment", appointment_id, None, lambda _: b"moved")
            new_time = NewTime(capacity=2, day=HALF_PAST.date(), daily_limit=3)
            return await bench.appointments.change(
                change, NOW, lambda a: a.rescheduled(slot, NOW, timedelta.min), new_time
            )

        async def book(doctor: str = doctor, patient: str = patient) -> Outcome:
            await asyncio.sleep(rng.uniform(0, 0.003))
            wish = draft(doctor_id=doctor, patient_id=patient, start=HALF_PAST, **GROUP)
            return (await bench.ledger.book(order([wish]))).outcome

        assert await asyncio.gather(move(), book(), book()) == [
            b"moved", Outcome.PATIENT_BUSY, Outcome.PATIENT_BUSY,
        ]  # fmt: skip
    assert await bench.database.one(DEADLOCKS) == {"deadlocks": 0}
