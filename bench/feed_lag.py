"""How long a committed booking takes to become readable in the change feed, numbered by us or below the horizon.

`python -m bench.feed_lag`: the storage of the appointment service in this process, a durable PostgreSQL; half a minute.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg
import uvloop

from appointment_svc.app.ports import Draft, Method, Order, Outcome
from appointment_svc.domain.appointment import Appointment
from appointment_svc.domain.offers import Candidate, Offer
from appointment_svc.storage.holds import PostgresHolds
from appointment_svc.storage.ledger import PostgresLedger
from bench import doctors
from bench.clinic import durable_postgres
from bench.feed_readers import HORIZON_TABLE, Readers, Seen, foreign_transaction, reading
from bench.load import percentile
from bench.rounds import table
from chassis.context import Caller, Role
from chassis.db import Database
from chassis.ids import uuid7
from chassis.migrations import migrate
from chassis.signals import Signal
from kernel.appointment_status import AppointmentStatus
from kernel.appointment_types import AppointmentType
from kernel.slots import Slot, SlotPriority
from stack.databases import create_when_missing, database_name, migrations_of

SECONDS = 4.0
QUIET, BUSY = 20.0, 200.0  # bookings a second
FOREIGN_SECONDS = 3.0
ROUNDS = 2
_CATCH_UP_SECONDS = 10.0
_CONNECTIONS = 20
_STAFF = Caller(subject=doctors.patient_id(0), role=Role.ADMIN, token="")
_ANSWER = b"\x5a" * 420  # as long as the answer of Book


async def main() -> None:
    """Measures and prints."""
    print(f"bench.feed_lag: {ROUNDS} rounds of {SECONDS:g} s a situation\n", flush=True)
    situations = {
        f"quiet, {QUIET:g} bookings/s": (QUIET, 0.0),
        f"{BUSY:g} bookings/s": (BUSY, 0.0),
        f"beside {FOREIGN_SECONDS:g} s of a foreign transaction": (QUIET, FOREIGN_SECONDS),
    }
    lags: dict[tuple[str, str], list[float]] = {}
    with durable_postgres() as (_, postgres):
        url, other = postgres.url(database_name("appointment")), postgres.url("bench_other")
        await _prepare(url, other)
        async with _service(url) as (ledger, readers):
            numbers = iter(range(doctors.SLOTS))
            for _ in range(ROUNDS):
                for name, (rate, foreign_seconds) in situations.items():
                    async with AsyncExitStack() as beside:
                        if foreign_seconds:
                            await beside.enter_async_context(foreign_transaction(other, foreign_seconds))
                        committed = await _book_steadily(
                            ledger, [next(numbers) for _ in range(int(rate * SECONDS))], rate
                        )
                    for way, seen in (("sequencer", readers.sequencer), ("horizon", readers.horizon)):
                        lags.setdefault((name, way), []).extend(await _lags(committed, seen))
    table(
        ["milliseconds from commit to readable", "p50", "p99", "max"],
        [
            (f"{name}: {way}", *(f"{percentile(values, p) * 1000:,.1f}" for p in (50, 99, 100)))
            for (name, way), values in lags.items()
        ],
    )


async def _prepare(url: str, other: str) -> None:
    await create_when_missing(url)
    await create_when_missing(other)
    await migrate(url, migrations_of("appointment"))
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute(HORIZON_TABLE)


@asynccontextmanager
async def _service(url: str) -> AsyncIterator[tuple[PostgresLedger, Readers]]:
    """The ledger and both readers over one pool, as in a process of the service."""
    database, committed = Database(url, size=_CONNECTIONS), Signal()
    await database.open()
    try:
        async with reading(database, committed) as readers:
            yield PostgresLedger(database, committed, PostgresHolds(database, committed)), readers
    finally:
        await database.close()


async def _book_steadily(ledger: PostgresLedger, numbers: list[int], rate: float) -> dict[str, float]:
    """Books these slots at a fixed pace, whether or not the last is done; tells when each was known to be committed."""
    committed: dict[str, float] = {}
    first = doctors.first_day()

    async def book(number: int) -> None:
        draft = _draft(number, first)
        verdict = await ledger.book(Order(_STAFF, Method.MANUAL, None, 3, datetime.now(UTC), [draft]))
        committed[draft.appointment.id] = time.perf_counter()
        assert verdict.outcome is Outcome.BOOKED, verdict

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for index, number in enumerate(numbers):
            await asyncio.sleep(began + index / rate - time.perf_counter())
            group.create_task(book(number))
    return committed


async def _lags(committed: dict[str, float], seen: Seen) -> list[float]:
    """Seconds from each commit until it was read; 0 where the reader was faster than the booker's own answer."""
    async with asyncio.timeout(_CATCH_UP_SECONDS):
        while not committed.keys() <= seen.keys():  # noqa: ASYNC110  a dictionary has no event
            await asyncio.sleep(0.01)
    return [max(0.0, seen[appointment_id] - at) for appointment_id, at in committed.items()]


def _draft(number: int, first: date) -> Draft:
    doctor_id, start = doctors.slot(number, first)
    now, end = datetime.now(UTC), start + timedelta(minutes=doctors.VISIT_MINUTES)
    buffer, kind = timedelta(minutes=doctors.BUFFER_MINUTES), AppointmentType.GENERAL_CONSULTATION
    slot = Slot(start, end, kind, SlotPriority.AVAILABLE, buffer, 1)
    offer = Offer(doctor_id, "Ada", "Stone", ZoneInfo("UTC"), 0.5, (), False, (slot,), (), slot)
    appointment = Appointment(
        id=str(uuid7(now)),
        patient_id=doctors.patient_id(number),
        doctor_id=doctor_id,
        status=AppointmentStatus.CONFIRMED,
        kind=kind,
        start=start,
        end=end,
        buffer=buffer,
        seat=0,
        timezone="UTC",
        specialty_required="",
        patient_notes="",
        match_score=offer.match_score,
        is_preferred_doctor=False,
        cancel_reason="",
        version=1,
        create_time=now,
        update_time=now,
    )
    return Draft(Candidate(offer, slot), appointment, start.date(), _ANSWER)


if __name__ == "__main__":
    uvloop.run(main())
