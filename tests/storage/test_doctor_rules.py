"""Rules of availability and saved answers under concurrent transactions."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, time, timedelta
from uuid import uuid4

import pytest

from chassis.context import Caller, Role
from chassis.db import Database
from chassis.sql import Query
from doctor_svc.app.ports import RequestKey, Unit
from doctor_svc.app.set_availability import SetAvailability
from doctor_svc.domain.availability import AvailabilityRule, WallBlock
from doctor_svc.domain.errors import RuleOverlaps
from doctor_svc.domain.window import Window
from doctor_svc.storage.schedules import StoredSchedules
from doctor_svc.storage.transactions import StoredTransactions
from kernel.appointment_types import AppointmentType
from kernel.errors import IdempotencyKeyReused
from tests.fix_doctors import NOON, a_doctor, a_rule, seed

STAFF = Caller(subject=str(uuid4()), role=Role.ADMIN, token="")
KEY = RequestKey("someone", "CreateDoctor", "once", b"wish")
NOW_ALONE = Window(NOON, NOON)
COUNT = Query("count", "SELECT count(*)::int AS rules FROM availability_rule")


async def add(database: Database, rule: AvailabilityRule, together: asyncio.Barrier | None = None) -> AvailabilityRule:
    added: list[AvailabilityRule] = []

    async def work(unit: Unit) -> bytes:
        if together is not None:
            await together.wait()
        added.append(await SetAvailability(lambda: NOON)(unit, STAFF, rule))
        return b""

    await StoredTransactions(database).once(None, NOON, work)
    return added[0]


async def test_of_many_overlapping_rules_added_at_once_one_is_kept(doctor_db: Database) -> None:
    doctor = a_doctor()
    await seed(doctor_db, [doctor], [])
    shifted = [
        a_rule(doctor, 1, WallBlock(time(9, minute), time(11, minute))) for minute in range(0, 60, 3)
    ]  # each overlaps all the others
    together = asyncio.Barrier(len(shifted))
    outcomes = await asyncio.gather(*(add(doctor_db, rule, together) for rule in shifted), return_exceptions=True)
    assert sum(isinstance(outcome, AvailabilityRule) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, RuleOverlaps) for outcome in outcomes) == len(shifted) - 1
    assert await doctor_db.one(COUNT) == {"rules": 1}


async def test_rules_that_only_touch_or_differ_in_kind_day_or_doctor_are_all_kept(doctor_db: Database) -> None:
    doctor, other = a_doctor(), a_doctor()
    await seed(doctor_db, [doctor, other], [])
    rules = [
        a_rule(doctor, 1),
        a_rule(doctor, 1, WallBlock(time(12), time(13))),
        a_rule(doctor, 1, kind=AppointmentType.EMERGENCY),
        a_rule(doctor, 2),
        a_rule(doctor, 1, day_of_week=None, specific_date=date(2026, 3, 2)),
        a_rule(other, 1),
    ]
    await asyncio.gather(*(add(doctor_db, rule) for rule in rules))
    assert await doctor_db.one(COUNT) == {"rules": len(rules)}


async def test_a_rule_comes_back_as_it_was_stored(doctor_db: Database) -> None:
    doctor = a_doctor()
    await seed(doctor_db, [doctor], [])
    full = a_rule(
        doctor,
        0,
        day_of_week=None,
        specific_date=date(2026, 4, 5),
        kind=AppointmentType.GROUP_SESSION,
        duration=timedelta(minutes=55),
        buffer=timedelta(0),
        capacity=12,
        afternoon=WallBlock(time(22, 30), None),
    )
    bare = a_rule(doctor, 6, None, afternoon=WallBlock(time(13, 15), time(18)))
    stored = {(await add(doctor_db, rule)).rule_id: rule for rule in (full, bare)}
    schedule = await StoredSchedules(doctor_db).of_doctor(doctor.doctor_id, None, NOW_ALONE, NOW_ALONE.earliest)
    assert schedule is not None
    assert {rule.rule_id: rule for rule in schedule.rules} == {
        rule_id: replace(rule, rule_id=rule_id) for rule_id, rule in stored.items()
    }


def answering(answer: bytes, runs: list[bytes], pause: float = 0.0) -> Callable[[Unit], Awaitable[bytes]]:
    async def work(_: Unit) -> bytes:
        runs.append(answer)
        await asyncio.sleep(pause)
        return answer

    return work


async def test_a_twin_waits_for_the_first_and_gets_its_answer(doctor_db: Database) -> None:
    transactions, runs = StoredTransactions(doctor_db), list[bytes]()
    answers = await asyncio.gather(
        *(transactions.once(KEY, NOON, answering(bytes([number]), runs, pause=0.1)) for number in range(10))
    )
    assert len(runs) == 1
    assert answers == runs * 10


async def test_work_that_fails_leaves_its_key_free(doctor_db: Database) -> None:
    transactions, runs = StoredTransactions(doctor_db), list[bytes]()

    async def failing(_: Unit) -> bytes:
        raise RuleOverlaps("x", "rule.morning_start_time")

    with pytest.raises(RuleOverlaps):
        await transactions.once(KEY, NOON, failing)
    assert await transactions.once(KEY, NOON, answering(b"done", runs)) == b"done"


async def test_a_key_is_not_good_for_another_wish(doctor_db: Database) -> None:
    transactions, runs = StoredTransactions(doctor_db), list[bytes]()
    await transactions.once(KEY, NOON, answering(b"first", runs))
    with pytest.raises(IdempotencyKeyReused):
        await transactions.once(replace(KEY, fingerprint=b"other"), NOON, answering(b"second", runs))
    assert await transactions.once(replace(KEY, caller="else"), NOON, answering(b"third", runs)) == b"third"
    assert runs == [b"first", b"third"]
