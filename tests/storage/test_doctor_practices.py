"""What is kept of doctors between calls: never told once it has changed, in no replica, with and without a Redis."""

from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta

import pytest
from redis.asyncio import Redis

from chassis.db import Database
from chassis.sql import Query
from doctor_svc.domain.availability import WallBlock
from doctor_svc.domain.demands import NO_DEMANDS
from doctor_svc.domain.doctor import Doctor
from doctor_svc.domain.overrides import Override, OverrideKind
from doctor_svc.domain.schedule import Schedule
from doctor_svc.domain.window import Window
from doctor_svc.storage.hours import HoursUnit
from doctor_svc.storage.practices import LayeredPractices, LocalPractices, SharedPractices
from doctor_svc.storage.schedules import StoredSchedules
from doctor_svc.storage.visits import StoredVisits
from tests.fix_doctors import NOON, a_doctor, a_rule, a_visit, seed
from tests.fix_redis import RedisServer

NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
THAT_WEEK = Window(NINE, NINE + timedelta(days=7))


def replica(database: Database, ttl_seconds: float = 300) -> StoredSchedules:
    """The schedules as one process reads them."""
    return StoredSchedules(database, LocalPractices(ttl_seconds))


async def read(schedules: StoredSchedules, doctor: Doctor) -> Schedule:
    """The doctor's schedule of that week, asked for both ways, which must say the same."""
    alone = await schedules.of_doctor(doctor.doctor_id, None, THAT_WEEK, NOON)
    (among_all,) = await schedules.who_meet(NO_DEMANDS, None, THAT_WEEK, 10, now=NOON, everyone=True)
    assert alone is not None
    assert among_all == alone
    return alone


@pytest.fixture
async def doctor(doctor_db: Database) -> Doctor:
    """A doctor with hours on Mondays."""
    one = a_doctor()
    await seed(doctor_db, [one], [a_rule(one, 1)])
    return one


async def test_a_doctor_who_has_not_changed_is_not_read_again(doctor_db: Database, doctor: Doctor):
    schedules = replica(doctor_db)
    first, second = await read(schedules, doctor), await read(schedules, doctor)
    assert second.rules is first.rules
    assert second.profile is first.profile


async def test_nothing_is_kept_where_the_time_for_it_is_none(doctor_db: Database, doctor: Doctor):
    schedules = replica(doctor_db, ttl_seconds=0)
    first, second = await read(schedules, doctor), await read(schedules, doctor)
    assert second == first
    assert second.rules is not first.rules


async def test_visits_are_never_kept(doctor_db: Database, doctor: Doctor):
    schedules = replica(doctor_db)
    assert (await read(schedules, doctor)).busy == ()
    visit = a_visit(doctor.doctor_id, NINE)
    await StoredVisits(doctor_db).keep([visit], 1)
    assert [(busy.start, busy.end) for busy in (await read(schedules, doctor)).busy] == [(NINE, visit.occupied_until)]


RULES = "availability_rule WHERE doctor_id = %(doctor_id)s::uuid"


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE doctor SET first_name = 'Grace' WHERE doctor_id = %(doctor_id)s::uuid",
        "UPDATE doctor SET rating = 5, rating_count = 1 WHERE doctor_id = %(doctor_id)s::uuid",
        "UPDATE doctor SET is_active = false WHERE doctor_id = %(doctor_id)s::uuid",
        "UPDATE doctor SET timezone = 'Asia/Tokyo' WHERE doctor_id = %(doctor_id)s::uuid",
        f"DELETE FROM {RULES}",
        "UPDATE availability_rule SET capacity = 3 WHERE doctor_id = %(doctor_id)s::uuid",
    ],
)
async def test_a_change_by_whomever_is_seen_at_once_in_every_replica(doctor_db: Database, doctor: Doctor, change: str):
    replicas = [replica(doctor_db), replica(doctor_db)]
    before = [await read(one, doctor) for one in replicas]
    await doctor_db.execute(Query("change", change), {"doctor_id": doctor.doctor_id})
    after = [await read(one, doctor) for one in replicas]
    assert after[0] == after[1] != before[0]


async def test_hours_that_come_and_go_are_seen_at_once(doctor_db: Database, doctor: Doctor):
    schedules = replica(doctor_db)
    assert len((await read(schedules, doctor)).rules) == 1
    tuesday = a_rule(doctor, 2)
    vacation = Override(
        override_id=a_rule(doctor, 3).rule_id,
        doctor_id=doctor.doctor_id,
        kind=OverrideKind.VACATION,
        first_day=date(2026, 3, 2),
        last_day=date(2026, 3, 6),
        window=WallBlock(time(9), None),
    )
    async with doctor_db.transaction() as session:
        unit = HoursUnit(session)
        await unit.add_rule(tuesday, NOON)
        await unit.add_override(vacation, NOON)
    told = await read(schedules, doctor)
    assert tuesday in told.rules
    assert told.overrides == (vacation,)
    async with doctor_db.transaction() as session:
        await HoursUnit(session).delete_rule(tuesday.rule_id)
        await HoursUnit(session).delete_override(doctor.doctor_id, vacation.override_id)
    told = await read(schedules, doctor)
    assert tuesday not in told.rules
    assert told.overrides == ()


class _ChangedMyMindError(Exception):
    """Undoes a transaction."""


async def test_a_change_that_was_undone_is_none(doctor_db: Database, doctor: Doctor):
    schedules = replica(doctor_db)
    before = await read(schedules, doctor)
    with suppress(_ChangedMyMindError):
        async with doctor_db.transaction() as session:
            await HoursUnit(session).add_rule(a_rule(doctor, 2), NOON)
            raise _ChangedMyMindError
    assert (await read(schedules, doctor)).rules is before.rules


async def test_only_doctors_who_changed_are_read_anew(doctor_db: Database):
    everyone = [a_doctor() for _ in range(6)]
    await seed(doctor_db, everyone, [a_rule(doctor, 1) for doctor in everyone])
    schedules = replica(doctor_db)

    async def by_id() -> dict[str, Schedule]:
        found = await schedules.who_meet(NO_DEMANDS, None, THAT_WEEK, 10, now=NOON)
        return {schedule.profile.doctor_id: schedule for schedule in found}

    before = await by_id()
    changed = everyone[2].doctor_id
    async with doctor_db.transaction() as session:
        await HoursUnit(session).add_rule(a_rule(everyone[2], 2), NOON)
    after = await by_id()
    assert list(after) == list(before)
    assert [doctor_id for doctor_id in before if after[doctor_id].rules is not before[doctor_id].rules] == [changed]
    assert len(after[changed].rules) == 2


@pytest.fixture
async def shared(redis_server: RedisServer) -> AsyncIterator[SharedPractices]:
    """What replicas hold together in a real Redis."""
    practices = SharedPractices(redis_server.url, ttl_seconds=300)
    yield practices
    await practices.close()


async def test_what_one_replica_has_read_another_finds_in_redis(
    doctor_db: Database, doctor: Doctor, shared: SharedPractices
):
    one, other = (StoredSchedules(doctor_db, LayeredPractices(LocalPractices(300), shared)) for _ in range(2))
    told = await read(one, doctor)
    assert list(await shared.find([doctor.doctor_id])) == [doctor.doctor_id]
    assert await read(other, doctor) == told


async def test_what_redis_holds_is_not_told_once_it_has_changed(
    doctor_db: Database, doctor: Doctor, shared: SharedPractices
):
    one, other = (StoredSchedules(doctor_db, LayeredPractices(LocalPractices(300), shared)) for _ in range(2))
    await read(one, doctor)
    async with doctor_db.transaction() as session:
        await HoursUnit(session).add_rule(a_rule(doctor, 2), NOON)
    assert len((await read(other, doctor)).rules) == 2


@pytest.mark.parametrize("ttl_seconds", [300, 0.001])
async def test_when_redis_stops_midway_answers_go_on_and_stay_right(
    doctor_db: Database, doctor: Doctor, shared: SharedPractices, redis_server: RedisServer, ttl_seconds: float
):
    schedules = StoredSchedules(doctor_db, LayeredPractices(LocalPractices(ttl_seconds), shared))
    assert len((await read(schedules, doctor)).rules) == 1
    redis_server.stop()
    assert len((await read(schedules, doctor)).rules) == 1
    async with doctor_db.transaction() as session:
        await HoursUnit(session).add_rule(a_rule(doctor, 2), NOON)
    assert len((await read(schedules, doctor)).rules) == 2


@pytest.mark.parametrize("value", [b"", b"nothing", b"version {}", b"version []", b"\xff\xfe 1", b'v {"doctor_id": 1}'])
async def test_whatever_else_redis_holds_under_the_name_is_passed_over(
    doctor_db: Database, doctor: Doctor, shared: SharedPractices, redis_server: RedisServer, value: bytes
):
    schedules = StoredSchedules(doctor_db, LayeredPractices(LocalPractices(300), shared))
    told = await StoredSchedules(doctor_db).of_doctor(doctor.doctor_id, None, THAT_WEEK, NOON)
    await read(StoredSchedules(doctor_db, shared), doctor)
    async with Redis.from_url(redis_server.url) as redis:
        (key,) = await redis.keys("telemed:practice:*")
        await redis.set(key, value)
    assert await read(schedules, doctor) == told
