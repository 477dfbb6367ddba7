"""The refresh of the summary: one replica at a time, when it is due, beside readers, and given back by a dead one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import psycopg
import pytest

from chassis.db import Database
from chassis.exclusive import exclusively
from chassis.sql import Query
from doctor_svc.app.refresh_summaries import RefreshSummaries
from doctor_svc.domain.window import BookingPolicy
from doctor_svc.storage.schedules import StoredSchedules
from doctor_svc.storage.sql import SUMMARIES
from doctor_svc.storage.summaries import StoredRefreshes, StoredSummaries
from tests.fix_doctors import NOON, WORKING_DAYS, a_doctor, a_rule, seed

PERIOD = timedelta(minutes=5)
DAYS = Query("days", "SELECT count(*) AS days, count(DISTINCT doctor_id) AS doctors FROM availability_day")
HIDE = Query("hide", "UPDATE doctor SET is_active = false WHERE doctor_id = %(doctor_id)s")


class Replica:
    """One replica's refresher, with a clock that a test sets."""

    def __init__(self, database: Database, url: str) -> None:
        self.now = NOON
        self.refresh = RefreshSummaries(
            StoredRefreshes(url), StoredSchedules(database), BookingPolicy(), lambda: self.now, PERIOD
        )


@pytest.fixture
async def replica(doctor_db: Database, doctor_db_url: str) -> Replica:
    doctors = [a_doctor() for _ in range(5)] + [a_doctor(verified=False)]
    await seed(doctor_db, doctors, [a_rule(doctor, day) for doctor in doctors for day in WORKING_DAYS])
    return Replica(doctor_db, doctor_db_url)


async def shown(database: Database) -> tuple[int, datetime | None]:
    found, refreshed = await StoredSummaries(database).page("", None, 1000)
    return len(found), refreshed


async def test_every_public_doctor_is_counted_and_nobody_before_the_first_refresh(
    doctor_db: Database, replica: Replica
) -> None:
    assert await shown(doctor_db) == (0, None)
    assert await replica.refresh() == 5
    assert await shown(doctor_db) == (5, NOON)
    assert await doctor_db.one(DAYS) == {"days": 5 * 14, "doctors": 5}


async def test_a_refresh_is_due_after_the_period_or_when_the_clock_was_set_back(
    doctor_db: Database, replica: Replica
) -> None:
    await replica.refresh()
    replica.now = NOON + PERIOD - timedelta(seconds=1)
    assert await replica.refresh() is None
    replica.now = NOON + PERIOD
    assert await replica.refresh() == 5
    replica.now = NOON - timedelta(days=1)
    assert await replica.refresh() == 5
    assert await shown(doctor_db) == (5, NOON - timedelta(days=1))


async def test_of_several_replicas_one_refreshes(doctor_db: Database, doctor_db_url: str, replica: Replica) -> None:
    replicas = [replica, *(Replica(doctor_db, doctor_db_url) for _ in range(5))]
    counted = await asyncio.gather(*(one.refresh() for one in replicas))
    assert sorted(counted, key=str) == [5, None, None, None, None, None]


async def test_while_one_replica_is_at_it_another_does_nothing_and_a_dead_one_is_succeeded(
    doctor_db_url: str, replica: Replica
) -> None:
    async with exclusively(doctor_db_url, "refresh doctor_availability_summary") as held:
        assert held is not None
        assert await replica.refresh() is None
        row = await held.one(Query("pid", "SELECT pg_backend_pid() AS pid"))
        assert row is not None
        async with await psycopg.AsyncConnection.connect(doctor_db_url, autocommit=True) as other:
            await other.execute("SELECT pg_terminate_backend(%s, 5000)", (row["pid"],))
        assert await replica.refresh() == 5


async def test_locks_of_other_names_and_other_databases_are_free(doctor_db_url: str, appointment_db_url: str) -> None:
    async with (
        exclusively(doctor_db_url, "one") as one,
        exclusively(doctor_db_url, "two") as two,
        exclusively(appointment_db_url, "one") as elsewhere,
        exclusively(doctor_db_url, "one") as again,
    ):
        assert None not in (one, two, elsewhere)
        assert again is None


async def test_who_is_public_no_more_is_told_no_more_and_forgotten_by_the_next_refresh(
    doctor_db: Database, replica: Replica
) -> None:
    await replica.refresh()
    found, _ = await StoredSummaries(doctor_db).page("", None, 10)
    await doctor_db.execute(HIDE, {"doctor_id": found[0].doctor_id})
    assert await shown(doctor_db) == (4, NOON)
    replica.now += PERIOD
    await replica.refresh()
    assert await doctor_db.one(DAYS) == {"days": 4 * 14, "doctors": 4}


@asynccontextmanager
async def reading(url: str) -> AsyncIterator[None]:
    """Somebody in the midst of a transaction that has read the view."""
    async with await psycopg.AsyncConnection.connect(url) as connection:
        await connection.execute("SELECT count(*) FROM doctor_availability_summary")
        yield


async def test_a_refresh_waits_for_no_reader_and_no_reader_for_it(
    doctor_db: Database, doctor_db_url: str, replica: Replica
) -> None:
    async with reading(doctor_db_url), asyncio.timeout(10):
        assert await replica.refresh() == 5
    async with await psycopg.AsyncConnection.connect(doctor_db_url) as refreshing:
        # A refresh that has not committed: the view's readers go on, another refresh would wait.
        await refreshing.execute(SUMMARIES["refresh_summary"].text)
        async with asyncio.timeout(5):
            assert await shown(doctor_db) == (5, NOON)


async def test_a_page_is_read_through_the_order_of_free_times(doctor_db: Database, replica: Replica) -> None:
    await replica.refresh()
    await doctor_db.execute(Query("analyze", "ANALYZE"))
    async with doctor_db.transaction() as session:
        await session.execute(Query("no_seqscan", "SET LOCAL enable_seqscan = off"))
        await session.execute(Query("no_sort", "SET LOCAL enable_sort = off"))
        params = {"specialty_keys": [], "after_time": None, "after_id": None, "most": 51}
        rows = await session.all(Query("explain", f"EXPLAIN {SUMMARIES['page_summaries'].text}"), params)
    plan = "\n".join(row["QUERY PLAN"] for row in rows)
    assert "doctor_availability_summary_by_time" in plan, plan
