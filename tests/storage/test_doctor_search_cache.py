"""Answers of searches are kept only while changes of profiles are heard of, and never past one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chassis.db import Database
from chassis.sql import Query
from doctor_svc.domain.search import SearchWish
from doctor_svc.storage.search import StoredSearch
from doctor_svc.storage.search_cache import CachedSearch
from tests.fix_doctors import NOON, a_doctor, seed

SILENTLY = Query("silently", "ALTER TABLE doctor DISABLE TRIGGER doctor_changed")
ALOUD = Query("aloud", "ALTER TABLE doctor ENABLE TRIGGER doctor_changed")
WISH = SearchWish()


async def rename(database: Database, name: str) -> None:
    await database.execute(Query("rename", "UPDATE doctor SET first_name = %(name)s"), {"name": name})


async def shown(search: CachedSearch, wish: SearchWish = WISH) -> list[str]:
    return [hit.doctor.profile.first_name for hit in await search.page(wish, None, 10)]


@asynccontextmanager
async def told(search: CachedSearch) -> AsyncIterator[asyncio.Task[None]]:
    """The cache hearing of changes."""
    task = asyncio.create_task(search.follow())
    async with asyncio.timeout(5):
        while not search._is_told:  # noqa: ASYNC110 - what is waited for has no event of its own
            await asyncio.sleep(0.01)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until_shown(search: CachedSearch, name: str) -> None:
    async with asyncio.timeout(5):
        while await shown(search) != [name]:  # noqa: ASYNC110 - asks until the answer is new
            await asyncio.sleep(0.005)


async def test_a_change_is_forgotten_by_every_replica_and_nothing_else_is(
    doctor_db: Database, doctor_db_url: str
) -> None:
    await seed(doctor_db, [a_doctor(first_name="Ada")], [])
    one, two = (CachedSearch(StoredSearch(doctor_db), doctor_db_url, 60) for _ in range(2))
    async with told(one), told(two):
        assert await shown(one) == await shown(two) == ["Ada"]
        await doctor_db.execute(SILENTLY)
        await rename(doctor_db, "Eve")
        assert await shown(one) == await shown(two) == ["Ada"], "nobody was told"
        await doctor_db.execute(ALOUD)
        await rename(doctor_db, "Joy")
        await until_shown(one, "Joy")
        await until_shown(two, "Joy")


async def test_while_nobody_tells_of_changes_nothing_is_kept(doctor_db: Database, doctor_db_url: str) -> None:
    await seed(doctor_db, [a_doctor(first_name="Ada")], [])
    search = CachedSearch(StoredSearch(doctor_db), doctor_db_url, 60)
    await doctor_db.execute(SILENTLY)
    assert await shown(search) == ["Ada"]
    await rename(doctor_db, "Eve")
    assert await shown(search) == ["Eve"]
    async with told(search) as task:
        assert await shown(search) == ["Eve"]
        await doctor_db.execute(
            Query("cut", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%%doctor%%'"),
            {},
        )
        await asyncio.wait([task], timeout=5)
        assert task.done()
        await rename(doctor_db, "Joy")
        assert await shown(search) == ["Joy"]


async def test_an_answer_grows_old_and_free_days_are_always_asked_anew(doctor_db: Database, doctor_db_url: str) -> None:
    await seed(doctor_db, [a_doctor(first_name="Ada")], [])
    brief = CachedSearch(StoredSearch(doctor_db), doctor_db_url, 0.05)
    async with told(brief):
        assert await shown(brief) == ["Ada"]
        await doctor_db.execute(SILENTLY)
        await rename(doctor_db, "Eve")
        await until_shown(brief, "Eve")
    long = CachedSearch(StoredSearch(doctor_db), doctor_db_url, 60)
    async with told(long):
        free = SearchWish(available_on=NOON.date())
        assert await shown(long, free) == []
        await doctor_db.execute(Query("work", _EVERY_DAY))
        assert await shown(long, free) == ["Eve"]


_EVERY_DAY = """INSERT INTO availability_rule (rule_id, doctor_id, day_of_week, kind, duration_minutes, buffer_minutes,
                                               capacity, morning_start, morning_end, create_time)
                SELECT gen_random_uuid(), doctor_id, day, 'GeneralConsultation', 30, 10, 1, '09:00', '12:00', now()
                FROM doctor, generate_series(0, 6) AS day"""
