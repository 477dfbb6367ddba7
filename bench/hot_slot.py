"""Two hundred bookers on one slot at once: how long the last of them waits, and that the database never deadlocks."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import TYPE_CHECKING

import grpc
import psycopg
from telemed.appointment.v1.appointment_service_pb2_grpc import AppointmentServiceStub

from bench import doctors
from bench.clinic import Clinic, Metadata
from bench.load import channels, percentile
from bench.rounds import table

if TYPE_CHECKING:
    from telemed.appointment.v1.appointment_service_pb2_grpc import AppointmentServiceAsyncStub  # a type alone

BOOKERS = 200
ROUNDS = 10
CHANNELS = 8
_CALL_SECONDS = 30.0


async def measure(clinic: Clinic) -> None:
    """Prints the slowest round and the median of all. Raises RuntimeError when not exactly one booker won a round."""
    metadata = clinic.metadata()
    before = await _deadlocks(clinic.urls["appointment"])
    async with channels(clinic.target("appointment"), CHANNELS) as opened:
        stubs = [AppointmentServiceStub(channel) for channel in opened]
        await asyncio.gather(*(channel.channel_ready() for channel in opened))
        rounds = [await _race(stubs, metadata, doctors.SLOTS - 1 - number) for number in range(ROUNDS)]
    deadlocks = await _deadlocks(clinic.urls["appointment"]) - before
    slowest = max(rounds, key=max)
    print(f"  hot slot: {BOOKERS} bookers, {ROUNDS} rounds, one winner in each; {deadlocks} deadlocks\n")
    table(
        ["milliseconds", "p50", "p99", "max"],
        [
            ("slowest round", *(f"{percentile(slowest, p) * 1000:,.0f}" for p in (50, 99, 100))),
            ("median round", *(f"{median(percentile(r, p) for r in rounds) * 1000:,.0f}" for p in (50, 99, 100))),
        ],
    )


async def _race(stubs: Sequence["AppointmentServiceAsyncStub"], metadata: Metadata, number: int) -> list[float]:
    """The seconds that each booker waited for an answer, whatever it was."""
    clock = asyncio.get_running_loop().time
    first = doctors.first_day()

    async def book(booker: int) -> tuple[str, float]:
        request = doctors.booking(number, first)
        began = clock()
        try:
            await stubs[booker % CHANNELS].Book(request, metadata=metadata, timeout=_CALL_SECONDS)
        except grpc.aio.AioRpcError as error:
            return error.code().name, clock() - began
        return "OK", clock() - began

    answers = await asyncio.gather(*(book(booker) for booker in range(BOOKERS)))
    codes = Counter(code for code, _ in answers)
    if codes != {"OK": 1, "ABORTED": BOOKERS - 1}:
        raise RuntimeError(f"of {BOOKERS} bookers one must win and the others must lose: {dict(codes)}")
    return [seconds for _, seconds in answers]


async def _deadlocks(url: str) -> int:
    async with await psycopg.AsyncConnection.connect(url) as connection:
        cursor = await connection.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        row = await cursor.fetchone()
    assert row is not None, "the view has a row for every database"
    return int(row[0])
