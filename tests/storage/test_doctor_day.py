"""A doctor's daily maximum: the ledger holds it under a race, whoever shares a time, moves, or changes the maximum."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from appointment_svc.app.ports import ChangeOrder, NewTime, Outcome
from appointment_svc.domain.errors import DoctorDayFull
from chassis.sql import Query
from kernel.appointment_types import AppointmentType
from tests.fix_ledger import NOW, STAFF, TEN, LedgerBench, draft, order

HALF_AN_HOUR = timedelta(minutes=30)
A_DAY = timedelta(days=1)
OF_A_DAY = Query("of_a_day", "SELECT count(*)::int AS visits FROM doctor_claim WHERE doctor_id = %s::uuid AND day = %s")
DEADLOCKS = Query("deadlocks", "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")


async def book(bench: LedgerBench, doctor: str, start: datetime = TEN, limit: int = 5, **visit: object) -> Outcome:
    one = draft(doctor_id=doctor, patient_id=str(uuid4()), start=start, doctor_limit=limit, buffer=0, **visit)  # type: ignore[arg-type]
    return (await bench.ledger.book(order([one]))).outcome


async def move(bench: LedgerBench, appointment_id: str, doctor: str, start: datetime, limit: int) -> None:
    slot = draft(doctor_id=doctor, patient_id="-", start=start).candidate.slot
    change = ChangeOrder(STAFF, "RescheduleAppointment", appointment_id, None, lambda a: a.id.encode())
    new_time = NewTime(capacity=1, day=start.date(), daily_limit=3, doctor_daily_limit=limit)
    await bench.appointments.change(change, NOW, lambda a: a.rescheduled(slot, NOW, timedelta.min), new_time)


async def visits_of_the_day(bench: LedgerBench, doctor: str) -> int:
    row = await bench.database.one(OF_A_DAY, [doctor, TEN.date()])
    assert row is not None
    visits: int = row["visits"]
    return visits


async def test_of_thirty_bookers_of_different_times_as_many_win_as_the_doctor_takes(bench: LedgerBench):
    for _ in range(5):
        doctor = str(uuid4())
        starts = [TEN - timedelta(hours=9) + n * HALF_AN_HOUR for n in range(30)]
        outcomes = await asyncio.gather(*(book(bench, doctor, start) for start in starts))
        assert Counter(outcomes) == {Outcome.BOOKED: 5, Outcome.DOCTOR_DAY_FULL: 25}
        assert await visits_of_the_day(bench, doctor) == 5
    assert await bench.database.one(DEADLOCKS) == {"deadlocks": 0}


async def test_each_patient_of_a_group_counts(bench: LedgerBench):
    doctor = str(uuid4())
    group = {"kind": AppointmentType.GROUP_SESSION, "capacity": 8}
    outcomes = await asyncio.gather(*(book(bench, doctor, limit=3, **group) for _ in range(20)))
    assert Counter(outcomes) == {Outcome.BOOKED: 3, Outcome.DOCTOR_DAY_FULL: 17}


async def test_a_taken_time_of_a_day_with_room_is_taken_and_another_day_is_another_day(bench: LedgerBench):
    doctor = str(uuid4())
    assert await book(bench, doctor, limit=2) is Outcome.BOOKED
    assert await book(bench, doctor, limit=2) is Outcome.SLOT_TAKEN
    assert await book(bench, doctor, TEN + HALF_AN_HOUR, limit=2) is Outcome.BOOKED
    assert await book(bench, doctor, TEN + 2 * HALF_AN_HOUR, limit=2) is Outcome.DOCTOR_DAY_FULL
    assert await book(bench, doctor, TEN + A_DAY, limit=2) is Outcome.BOOKED


async def test_a_maximum_that_is_set_or_lowered_later_counts_what_was_booked_before(bench: LedgerBench):
    doctor = str(uuid4())
    for number, (limit, outcome) in enumerate(
        [
            (0, Outcome.BOOKED),
            (0, Outcome.BOOKED),
            (3, Outcome.BOOKED),
            (3, Outcome.DOCTOR_DAY_FULL),
            (2, Outcome.DOCTOR_DAY_FULL),
            (5, Outcome.BOOKED),
            (0, Outcome.BOOKED),
            (5, Outcome.DOCTOR_DAY_FULL),
        ]
    ):
        assert await book(bench, doctor, TEN + number * HALF_AN_HOUR, limit=limit) is outcome, number


async def test_with_a_choice_a_full_day_is_passed_over(bench: LedgerBench):
    doctor, patient = str(uuid4()), str(uuid4())
    await book(bench, doctor, limit=1)
    choice = [
        draft(doctor_id=doctor, patient_id=patient, start=start, doctor_limit=1)
        for start in (TEN + HALF_AN_HOUR * 2, TEN + A_DAY)
    ]
    verdict = await bench.ledger.book(order(choice))
    assert (verdict.outcome, verdict.draft) == (Outcome.BOOKED, 1)


async def test_a_move_within_a_full_day_is_no_visit_more_but_one_into_it_is(bench: LedgerBench):
    doctor = str(uuid4())
    ids = []
    for start in (TEN, TEN + HALF_AN_HOUR, TEN + A_DAY):
        one = draft(doctor_id=doctor, patient_id=str(uuid4()), start=start, doctor_limit=2, buffer=0)
        assert (await bench.ledger.book(order([one]))).outcome is Outcome.BOOKED
        ids.append(one.appointment.id)
    await move(bench, ids[0], doctor, TEN + 6 * HALF_AN_HOUR, limit=2)
    with pytest.raises(DoctorDayFull, match="at most 2 visits a day and 2026-03-04 is full"):
        await move(bench, ids[2], doctor, TEN, limit=2)
    kept = await bench.appointments.get(ids[2])
    assert kept is not None
    assert (kept.start, kept.version) == (TEN + A_DAY, 1)


@pytest.mark.timeout(120)
async def test_moves_and_bookings_into_one_day_at_once_never_exceed_it(bench: LedgerBench):
    doctor = str(uuid4())
    movers = []
    for number in range(12):
        start = TEN + (number + 2) * A_DAY
        one = draft(doctor_id=doctor, patient_id=str(uuid4()), start=start, doctor_limit=4)
        await bench.ledger.book(order([one]))
        movers.append(one.appointment.id)
    times = [TEN - timedelta(hours=10) + n * timedelta(hours=1) for n in range(24)]
    results = await asyncio.gather(
        *(move(bench, mover, doctor, start, limit=4) for mover, start in zip(movers, times, strict=False)),
        *(book(bench, doctor, start, limit=4) for start in times[12:]),
        return_exceptions=True,
    )
    moved, booked = results[:12].count(None), results[12:].count(Outcome.BOOKED)
    assert moved + booked == 4 == await visits_of_the_day(bench, doctor)
    assert {type(result) for result in results[:12]} <= {type(None), DoctorDayFull}
    assert set(results[12:]) <= {Outcome.BOOKED, Outcome.DOCTOR_DAY_FULL}
    assert await bench.database.one(DEADLOCKS) == {"deadlocks": 0}
