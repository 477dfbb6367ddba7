"""Load in a closed loop: so many clients at once, each with its next call as soon as the last was answered."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc

Call = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Load:
    """What became of the calls. Times are seconds; `client_seconds` is the processor time of the calling process."""

    latencies: list[float]
    failures: dict[str, int]
    elapsed: float
    client_seconds: float

    @property
    def rate(self) -> float:
        """Calls that succeeded, per second."""
        return len(self.latencies) / self.elapsed

    @property
    def ceiling(self) -> float:
        """Calls per second at which the client itself would fill a processor, and so be what is measured."""
        return (len(self.latencies) + sum(self.failures.values())) / self.client_seconds


async def drive(calls: Iterable[Call], clients: int) -> Load:
    """Makes the calls, `clients` at once. A refusal is counted under its gRPC code; every other error ends the run."""
    waiting = iter(calls)
    latencies: list[float] = []
    failures: dict[str, int] = {}

    async def client() -> None:
        for call in waiting:
            began = time.perf_counter()
            try:
                await call()
            except grpc.aio.AioRpcError as error:
                failures[error.code().name] = failures.get(error.code().name, 0) + 1
            else:
                latencies.append(time.perf_counter() - began)

    began, worked = time.perf_counter(), time.process_time()
    await asyncio.gather(*(client() for _ in range(clients)))
    return Load(latencies, failures, time.perf_counter() - began, time.process_time() - worked)


def for_seconds(seconds: float, calls: Iterator[Call]) -> Iterator[Call]:
    """The calls until time is up."""
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline:
        yield next(calls)


def percentile(values: Iterable[float], percent: float) -> float:
    """The smallest of the values that `percent` of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -int(-len(ordered) * percent // 100) - 1)]


@asynccontextmanager
async def channels(target: str, count: int) -> AsyncIterator[list[grpc.aio.Channel]]:
    """So many connections to one server; by default gRPC would share one among all channels to a target."""
    options: list[tuple[str, Any]] = [("grpc.use_local_subchannel_pool", 1)]
    opened = [grpc.aio.insecure_channel(target, options=options) for _ in range(count)]
    try:
        yield opened
    finally:
        await asyncio.gather(*(channel.close() for channel in opened))
