"""The copy of the visits: order, repeats, several replicas at once, and never a step back."""

import asyncio
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest

from chassis.db import Database
from chassis.sql import Query
from doctor_svc.domain.visits import Visit, newest_of
from doctor_svc.domain.window import Window
from doctor_svc.storage.schedules import StoredSchedules
from doctor_svc.storage.visits import StoredVisits
from kernel.appointment_status import OCCUPYING, AppointmentStatus
from kernel.appointment_types import AppointmentType
from kernel.revision import ChangeOf, FeedPosition
from tests.fix_doctors import a_doctor, a_visit, seed

NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ALL_DAY = Window(NINE - timedelta(hours=9), NINE + timedelta(hours=15))
HELD = Query(
    "held", "SELECT appointment_id::text AS id, version, status, lower(occupied) AS since FROM visit ORDER BY 1"
)
DEADLOCKS = Query("deadlocks", "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")


def moved(visit: Visit, version: int, minutes: int, status: AppointmentStatus = AppointmentStatus.CONFIRMED) -> Visit:
    return a_visit(
        visit.doctor_id,
        visit.start + timedelta(minutes=minutes),
        appointment_id=visit.appointment_id,
        patient_id=visit.patient_id,
        version=version,
        status=status,
    )


async def test_an_older_version_that_comes_late_changes_nothing(doctor_db: Database) -> None:
    copy, first = StoredVisits(doctor_db), a_visit(str(uuid4()), NINE)
    second = moved(first, 2, 60)
    await copy.keep([second], 2)
    await copy.keep([first], 1)
    (row,) = await doctor_db.all(HELD)
    assert (row["version"], row["since"]) == (2, second.start)
    assert await copy.cursor() == 2


async def test_replicas_that_apply_the_same_changes_in_any_order_end_alike_without_a_deadlock(
    doctor_db: Database,
) -> None:
    copy = StoredVisits(doctor_db)
    firsts = [a_visit(str(uuid4()), NINE + timedelta(hours=number)) for number in range(40)]
    history = [
        version
        for visit in firsts
        for version in (visit, moved(visit, 2, 30), moved(visit, 3, 30, AppointmentStatus.CANCELLED))
    ]
    chance = random.Random(7)  # noqa: S311 - shuffles, guards nothing

    async def replica() -> None:
        order = chance.sample(history, len(history))
        for begin in range(0, len(order), 10):
            await copy.keep(newest_of(order[begin : begin + 10]), begin + 10)

    await asyncio.gather(*(replica() for _ in range(8)))
    rows = await doctor_db.all(HELD)
    assert [(row["id"], row["version"], row["status"]) for row in rows] == [
        (visit.appointment_id, 3, "CANCELLED") for visit in sorted(firsts, key=lambda visit: visit.appointment_id)
    ]
    assert await copy.cursor() == len(history)
    assert await doctor_db.one(DEADLOCKS) == {"deadlocks": 0}


async def test_the_cursor_and_the_visits_are_kept_together_or_not_at_all(doctor_db: Database) -> None:
    copy, broken = StoredVisits(doctor_db), a_visit(str(uuid4()), NINE, appointment_id="no uuid")
    with pytest.raises(psycopg.errors.InvalidTextRepresentation):
        await copy.keep([a_visit(str(uuid4()), NINE), broken], 5)
    assert await copy.cursor() == 0
    assert await doctor_db.all(HELD) == []


async def test_the_copy_knows_how_new_it_is(doctor_db: Database) -> None:
    copy, visit = StoredVisits(doctor_db), a_visit(str(uuid4()), NINE, version=4)
    assert await copy.holds(FeedPosition(0))
    assert not await copy.holds(ChangeOf(visit.appointment_id, 1))
    await copy.keep([visit], 9)
    assert [await copy.holds(FeedPosition(number)) for number in (8, 9, 10)] == [True, True, False]
    assert [await copy.holds(ChangeOf(visit.appointment_id, version)) for version in (3, 4, 5)] == [True, True, False]


async def test_busy_times_are_the_occupying_visits_of_the_doctor_that_touch_the_stretch(doctor_db: Database) -> None:
    doctor, other = a_doctor(), a_doctor()
    await seed(doctor_db, [doctor, other], [])
    by_status = {
        status: a_visit(doctor.doctor_id, NINE + timedelta(hours=place), status=status, seat=place)
        for place, status in enumerate(AppointmentStatus)
    }
    elsewhere = [a_visit(other.doctor_id, NINE), a_visit(doctor.doctor_id, NINE + timedelta(days=1))]
    late = a_visit(doctor.doctor_id, ALL_DAY.earliest - timedelta(minutes=35), kind=AppointmentType.GROUP_SESSION)
    everything = sorted([*by_status.values(), *elsewhere, late], key=lambda visit: visit.appointment_id)
    await StoredVisits(doctor_db).keep(everything, 1)
    schedule = await StoredSchedules(doctor_db).of_doctor(doctor.doctor_id, None, ALL_DAY, NINE)
    assert schedule is not None
    expected = [late, *(visit for status, visit in by_status.items() if status in OCCUPYING)]
    assert sorted((busy.start, busy.end, busy.kind, busy.seat) for busy in schedule.busy) == sorted(
        (visit.start, visit.occupied_until, visit.kind, visit.seat) for visit in expected
    )


async def test_a_hold_keeps_its_time_until_it_runs_out_although_nobody_has_told_of_its_end(doctor_db: Database) -> None:
    doctor = a_doctor()
    await seed(doctor_db, [doctor], [])
    until = NINE - timedelta(hours=1)
    held = a_visit(doctor.doctor_id, NINE, status=AppointmentStatus.HELD, hold_expire_time=until)
    await StoredVisits(doctor_db).keep([held], 1)

    async def busy_at(now: datetime) -> int:
        schedule = await StoredSchedules(doctor_db).of_doctor(doctor.doctor_id, None, ALL_DAY, now)
        assert schedule is not None
        return len(schedule.busy)

    assert await busy_at(until - timedelta(seconds=1)) == 1
    assert await busy_at(until) == 0
    confirmed = replace(held, status=AppointmentStatus.CONFIRMED, hold_expire_time=None, version=2)
    await StoredVisits(doctor_db).keep([confirmed], 2)
    assert await busy_at(until) == 1
