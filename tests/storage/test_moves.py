"""Moves and bookings of one doctor's times at once: nothing is doubled, nothing is lost, nobody waits in a circle."""

import asyncio
import random
from collections import Counter
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from appointment_svc.app.ports import ChangeOrder, NewTime, Outcome
from appointment_svc.domain.errors import DailyLimitReached, PatientBusy, SlotTaken
from chassis.sql import Query
from tests.fix_ledger import NOW, STAFF, TEN, LedgerBench, draft, order

ORPHANS = Query(
    "orphans",
    """SELECT (SELECT count(*) FROM doctor_claim) AS doctor, (SELECT count(*) FROM patient_claim) AS patient,
              (SELECT count(*) FROM appointment a JOIN doctor_claim c USING (appointment_id)
               WHERE lower(c.occupied) = a.start_time AND c.seat = a.seat) AS agreeing""",
)
DEADLOCKS = Query("deadlocks", "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")


async def book(bench: LedgerBench, doctor: str, start: datetime, patient: str | None = None) -> str | None:
    one = draft(doctor_id=doctor, patient_id=patient or str(uuid4()), start=start)
    verdict = await bench.ledger.book(order([one]))
    return one.appointment.id if verdict.outcome is Outcome.BOOKED else None


async def move(bench: LedgerBench, appointment_id: str, start: datetime, limit: int = 3) -> None:
    current = await bench.appointments.get(appointment_id)
    assert current is not None
    slot = draft(doctor_id=current.doctor_id, patient_id=current.patient_id, start=start).candidate.slot
    change = ChangeOrder(STAFF, "RescheduleAppointment", appointment_id, None, lambda a: a.id.encode())
    new_time = NewTime(capacity=1, day=start.date(), daily_limit=limit)
    await bench.appointments.change(change, NOW, lambda a: a.rescheduled(slot, NOW, timedelta.min), new_time)


@pytest.mark.timeout(120)
async def test_a_storm_of_moves_and_bookings_leaves_one_claim_for_each_appointment(bench: LedgerBench):
    doctor, rng = str(uuid4()), random.Random(7)  # noqa: S311 - a seeded storm, no secret
    times = [TEN + timedelta(minutes=20 * n) for n in range(30)]
    booked = [found for start in times[::4] if (found := await book(bench, doctor, start))]
    outcomes: Counter[str] = Counter()

    async def one(number: int) -> None:
        for _ in range(12):
            start = rng.choice(times)
            if number % 3:
                try:
                    await move(bench, rng.choice(booked), start)
                except SlotTaken:
                    outcomes["taken"] += 1
                else:
                    outcomes["moved"] += 1
            elif found := await book(bench, doctor, start):
                booked.append(found)
                outcomes["booked"] += 1

    await asyncio.gather(*(one(number) for number in range(18)))
    assert outcomes["moved"] > 0
    assert outcomes["taken"] > 0
    row = await bench.database.one(ORPHANS)
    assert row is not None
    assert (row["doctor"], row["patient"], row["agreeing"]) == (len(booked),) * 3
    deadlocks = await bench.database.one(DEADLOCKS)
    assert deadlocks is not None
    assert deadlocks["deadlocks"] == 0


async def test_two_visits_can_never_swap_by_both_giving_up_their_times(bench: LedgerBench):
    doctor = str(uuid4())
    first, second = TEN, TEN + timedelta(minutes=40)
    one, other = await book(bench, doctor, first), await book(bench, doctor, second)
    assert one
    assert other
    results = await asyncio.gather(move(bench, one, second), move(bench, other, first), return_exceptions=True)
    assert [type(result) for result in results] == [SlotTaken, SlotTaken]


async def test_a_move_is_refused_when_the_patient_is_elsewhere_then_and_changes_nothing(bench: LedgerBench):
    patient, later = str(uuid4()), TEN + timedelta(hours=2)
    mine = await book(bench, str(uuid4()), TEN, patient)
    await book(bench, str(uuid4()), later, patient)
    assert mine
    with pytest.raises(PatientBusy):
        await move(bench, mine, later)
    kept = await bench.appointments.get(mine)
    assert kept is not None
    assert (kept.start, kept.version) == (TEN, 1)
    diary = await bench.diaries.read([kept.doctor_id], None, TEN, later)
    assert [claim.start for claim in diary.doctors[kept.doctor_id]] == [TEN]


async def test_a_move_within_a_full_day_is_no_fourth_visit_but_one_into_it_is(bench: LedgerBench):
    patient, tomorrow = str(uuid4()), TEN + timedelta(days=1)
    visits = [await book(bench, str(uuid4()), TEN + timedelta(hours=n), patient) for n in range(3)]
    fourth = await book(bench, str(uuid4()), tomorrow, patient)
    assert visits[0]
    assert fourth
    await move(bench, visits[0], TEN + timedelta(hours=5))
    with pytest.raises(DailyLimitReached):
        await move(bench, fourth, TEN + timedelta(hours=7))
