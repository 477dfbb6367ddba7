"""What a round of the clocks costs with nobody due, empty or with a million appointments, and a backlog of no-shows."""

import asyncio
import time
from datetime import timedelta

from appointment_svc.domain.rules import Rules
from appointment_svc.domain.timeouts import Timeout, timeouts
from appointment_svc.storage.timeouts import PostgresTimeouts
from bench.clinic import durable_postgres
from bench.history_seed import seed
from bench.load import percentile
from bench.rounds import table
from chassis.clock import system_clock
from chassis.db import Database
from chassis.migrations import migrate
from chassis.signals import Signal
from stack.databases import create_when_missing, database_name, migrations_of

APPOINTMENTS = 1_000_000
ROUNDS = 50
REPLICAS = 3
BACKLOG_ROWS = 20_000
_BATCH = 200
# Before anybody was due.
_LONG_AGO = timedelta(days=36_500)


async def main() -> None:
    """Measures and prints; most of its two minutes go into making the appointments."""
    print(f"bench.clocks: {APPOINTMENTS:,} appointments, one in ten confirmed and long over\n", flush=True)
    with durable_postgres() as (_, postgres):
        full, empty = postgres.url(database_name("appointment")), postgres.url("bench_empty")
        for url in (full, empty):
            await create_when_missing(url)
            await migrate(url, migrations_of("appointment"))
        await asyncio.to_thread(seed, full, APPOINTMENTS)
        of_full, of_empty = Database(full, size=REPLICAS), Database(empty, size=1)
        await asyncio.gather(of_full.open(), of_empty.open())
        try:
            await _idle(of_full, of_empty)
            await _backlog(of_full)
        finally:
            await asyncio.gather(of_full.close(), of_empty.close())


async def _idle(full: Database, empty: Database) -> None:
    seconds: dict[str, list[float]] = {"empty": [], "full": []}
    for _ in range(ROUNDS):
        for name, database in (("empty", empty), ("full", full)):
            started = time.perf_counter()
            for row in timeouts(Rules()):
                await PostgresTimeouts(database, Signal()).settle(row, system_clock() - _LONG_AGO, _BATCH)
            seconds[name].append(time.perf_counter() - started)
    table(
        ["milliseconds for all five clocks with nobody due", "p50", "p99"],
        [(name, *(f"{percentile(values, p) * 1000:,.2f}" for p in (50, 99))) for name, values in seconds.items()],
    )


async def _backlog(database: Database) -> None:
    row = next(row for row in timeouts(Rules()) if row.name == "patient_never_came")
    started = time.perf_counter()
    settled = await asyncio.gather(*(_replica(database, row, BACKLOG_ROWS // REPLICAS) for _ in range(REPLICAS)))
    rate = sum(settled) / (time.perf_counter() - started)
    print(f"  a backlog of no-shows, {REPLICAS} replicas at once: {rate:,.0f} settled a second\n", flush=True)


async def _replica(database: Database, row: Timeout, most: int) -> int:
    timed, total = PostgresTimeouts(database, Signal()), 0
    while total < most and (settled := await timed.settle(row, system_clock(), _BATCH)):
        total += settled
    return total


if __name__ == "__main__":
    asyncio.run(main())
