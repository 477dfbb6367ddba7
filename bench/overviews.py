"""What it costs to count every doctor's next days, and to search for those who are free on one.

`python -m bench.overviews`: the use cases of the doctor service in this process, 2,000 doctors, a durable PostgreSQL;
some two minutes. Processor time is this process's own, so what others do beside it counts for little.
"""

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from statistics import median

import uvloop

from bench import crowd, doctors
from bench.clinic import durable_postgres
from bench.rounds import table
from chassis.context import Caller, Role
from chassis.db import Database
from chassis.migrations import migrate
from doctor_svc.app.refresh_summaries import RefreshSummaries
from doctor_svc.app.search_doctors import USUAL_PAGE, SearchDoctors
from doctor_svc.domain.search import SearchWish
from doctor_svc.domain.window import BookingPolicy
from doctor_svc.storage.practices import LocalPractices
from doctor_svc.storage.schedules import StoredSchedules
from doctor_svc.storage.search import StoredSearch
from doctor_svc.storage.sql import SUMMARIES
from doctor_svc.storage.summaries import StoredRefreshes, StoredSummaries
from stack.databases import create_when_missing, database_name, migrations_of

DOCTORS = 2_000
ROUNDS = 5
CALLS = 40
_STAFF = Caller(subject=doctors.patient_id(0), role=Role.ADMIN, token="")
_PERIOD = timedelta(minutes=5)
Work = Callable[[], Awaitable[object]]


async def main() -> None:
    """Measures and prints."""
    print(f"bench.overviews: {DOCTORS:,} doctors, {ROUNDS} rounds\n", flush=True)
    with durable_postgres() as (_, postgres):
        url = postgres.url(database_name("doctor"))
        await create_when_missing(url)
        await migrate(url, migrations_of("doctor"))
        await crowd.add_doctors(url, DOCTORS)
        database = Database(url, size=4)
        await database.open()
        try:
            await _measure(database, url)
        finally:
            await database.close()


async def _measure(database: Database, url: str) -> None:
    now = [datetime.now(UTC)]
    schedules, policy = StoredSchedules(database, LocalPractices(ttl_seconds=3600)), BookingPolicy()
    refresh = RefreshSummaries(StoredRefreshes(url), schedules, policy, lambda: now[0], _PERIOD)
    search = SearchDoctors(StoredSearch(database), schedules, policy, lambda: now[0])
    summaries = StoredSummaries(database)
    free = SearchWish(available_on=doctors.first_day())

    async def refreshed() -> None:
        now[0] += _PERIOD
        assert await refresh() == DOCTORS

    works: dict[str, tuple[Work, int]] = {
        "one doctor's next days": (refreshed, DOCTORS),
        "the view": (lambda: database.execute(SUMMARIES["refresh_summary"]), 1),
        "a page of summaries": (lambda: summaries.page("", None, 51), CALLS),
        "a page of a search": (lambda: search(_STAFF, SearchWish(), None, USUAL_PAGE), CALLS),
        "a page of those free on a day": (lambda: search(_STAFF, free, None, USUAL_PAGE), CALLS),
    }
    costs: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    for number in range(ROUNDS + 1):
        for name, (work, parts) in works.items():
            times = 1 if work is refreshed else parts
            cost = await _cost(work, times)
            if number:  # the first round connects and fills caches
                costs[name].append((cost[0] / parts, cost[1] / parts))
    middle = {name: [median(column) * 1000 for column in zip(*rounds, strict=True)] for name, rounds in costs.items()}
    table(
        ["milliseconds", "processor", "clock"],
        [[name, f"{processor:.2f}", f"{clock:.2f}"] for name, (processor, clock) in middle.items()],
    )


async def _cost(work: Work, times: int) -> tuple[float, float]:
    """The seconds of processor and of clock that the work takes, done so often in a row."""
    processor, clock = time.process_time(), time.perf_counter()
    for _ in range(times):
        await work()
    return time.process_time() - processor, time.perf_counter() - clock


if __name__ == "__main__":
    uvloop.run(main())
