"""Ten times what a clinic can do, for a minute: how long those who are taken wait, and how fast the rest are told.

`python -m bench.overload`: one replica of each process and availability reads and bookings through gRPC, one after the
other. First what it can do (a closed loop), then an open loop at a fifth of that, at ten times that, and at a fifth
again: the next call goes out on time, whether the last was answered or not. The callers use our client, which keeps
calls back from a service that refuses them, and after that bare stubs. The load comes from processes of their own.
Those of the overload step back from the processor and so are late themselves; how long a call takes then is told by one
more caller, who makes few and does not step back.
"""

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple, dataclass

import grpc
import uvloop
from grpc_health.v1 import health_pb2, health_pb2_grpc

from bench.load import percentile
from bench.overload_caller import CLIENTS, Caller, Order, Told
from bench.rounds import table
from bench.running import Running, running_stack

UNLOADED_SHARE = 0.2
OVERLOAD = 10
_GENERATORS = 2
# Callers are other machines in life: their work must not take the processor from who is measured.
_POLITENESS = 15
_SAMPLES_A_SECOND = 40.0
_SERVICES = {"Book": "appointment", "GetAvailability": "doctor"}
_CALM_SECONDS = 15.0
_SHED, _UNSENT = "RESOURCE_EXHAUSTED", "not sent"


@dataclass(frozen=True, slots=True)
class Phase:
    """What came of one load: how many ended how, and the seconds that those took whose time is to be believed."""

    name: str
    seconds: float
    counts: Counter[str]
    taken: list[float]
    shed: list[float]

    @property
    def rate(self) -> float:
        """Calls a second that were answered OK."""
        return self.counts["OK"] / self.seconds

    @property
    def sent(self) -> int:
        """All calls that went out."""
        return self.counts.total() - self.counts[_UNSENT]

    def row(self) -> tuple[str, ...]:
        """A line of the table."""
        return (
            self.name,
            f"{self.sent / self.seconds:,.0f}",
            f"{self.rate:,.0f}",
            *(f"{percentile(self.taken, p) * 1000:,.0f}" if self.taken else "-" for p in (50, 99)),
            f"{self.counts[_SHED] / max(1, self.sent):.0%}",
            *(f"{percentile(self.shed, p) * 1000:,.0f}" if self.shed else "-" for p in (50, 99)),
            ", ".join(f"{count} {code}" for code, count in self.counts.items() if code not in ("OK", _SHED)) or "none",
        )


class Loads:
    """Loads on one method of a running stack, one after the other."""

    def __init__(self, running: Running, what: str) -> None:
        """Slots are used once each, in every load other ones."""
        self.running = running
        self.what = what
        self.bare = False  # whether callers use the stub alone, without our client
        self._token = running.token()
        self.used = next(running.slots)

    async def phase(self, name: str, rate: float, seconds: float) -> Phase:
        """One load by one caller; a rate of 0 means a closed loop."""
        (told,) = await self._generated([(rate, 0)], seconds)
        return _phase(name, seconds, told, [told])

    async def flood(self, name: str, rate: float, seconds: float) -> Phase:
        """One load by callers who step back from the processor, and how long it takes one who does not."""
        each = rate / _GENERATORS
        told = await self._generated([(_SAMPLES_A_SECOND, 0), *[(each, _POLITENESS)] * _GENERATORS], seconds)
        return _phase(name, seconds, told[0], told)

    async def _generated(self, loads: Sequence[tuple[float, int]], seconds: float) -> list[Told]:
        """Loads at once, each of a rate and a politeness, and what came of them."""
        target = self.running.target(_SERVICES[self.what])
        made = []
        for number, (rate, politeness) in enumerate(loads):
            first = self.used + number
            order = Order(self.what, target, self._token, first, len(loads), rate, seconds, politeness, self.bare)
            made.append(
                await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "bench.overload_caller", json.dumps(astuple(order))),
                    stdout=asyncio.subprocess.PIPE,
                )
            )
        told: list[Told] = [json.loads((await process.communicate())[0]) for process in made]
        self.used += len(loads) * (max(len(one["ended"]) for one in told) + 10)
        return told


def _phase(name: str, seconds: float, believed: Told, told: Sequence[Told]) -> Phase:
    counts = Counter(code for one in told for code, _ in one["ended"])
    if unsent := sum(one["unsent"] for one in told):
        counts[_UNSENT] = unsent
    times: dict[str, list[float]] = {"OK": [], _SHED: []}
    for code, took in believed["ended"]:
        times.setdefault(code, []).append(took)
    return Phase(name, seconds, counts, times["OK"], times[_SHED])


async def watch_health(running: Running, what: str, states: Counter[str]) -> None:
    """Asks for health five times a second, for ever."""
    async with grpc.aio.insecure_channel(running.target(_SERVICES[what])) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        while True:
            try:
                answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=1)
                states[health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)] += 1
            except grpc.aio.AioRpcError as error:
                states[error.code().name] += 1
            await asyncio.sleep(0.2)


async def recovery(running: Running, what: str, first_slot: int) -> float:
    """Seconds until twenty calls in a row, one after the other, are answered OK."""
    caller = Caller(what, running.target(_SERVICES[what]), running.token(), first_slot, 1, bare=True)
    began = time.perf_counter()
    in_a_row = 0
    well_since = began
    while in_a_row < 20:  # noqa: PLR2004
        asked = time.perf_counter()
        code, _ = await caller.call()
        if code == "OK":
            well_since = asked if not in_a_row else well_since
            in_a_row += 1
        else:
            in_a_row = 0
    await caller.close()
    return well_since - began


async def measure(loads: Loads, seconds: float) -> None:
    """Prints the table of one method, by one kind of caller."""
    running, what = loads.running, loads.what
    await loads.phase("warm-up", 0, 3)
    most = await loads.phase("closed loop", 0, 8)
    capacity = most.rate
    calm = await loads.phase("a fifth", capacity * UNLOADED_SHARE, _CALM_SECONDS)
    states: Counter[str] = Counter()
    watching = asyncio.create_task(watch_health(running, what, states))
    over = await loads.flood(f"{OVERLOAD} times", capacity * OVERLOAD, seconds)
    recovered = await recovery(running, what, loads.used)
    loads.used += 1_000
    watching.cancel()
    after = await loads.phase("a fifth again", capacity * UNLOADED_SHARE, _CALM_SECONDS)
    callers = "bare stubs" if loads.bare else "our client"
    print(f"{what}, {callers}: {capacity:,.0f} a second with {CLIENTS} clients; milliseconds\n")
    head = ["load", "sent/s", "OK/s", "OK p50", "OK p99", "shed", "shed p50", "shed p99", "other ends"]
    table(head, [phase.row() for phase in (most, calm, over, after)])
    ratio = percentile(over.taken, 99) / percentile(calm.taken, 99) if over.taken and calm.taken else float("nan")
    print(f"  p99 of the taken: {ratio:.1f} times the unloaded; well after {recovered:.2f} s; health {dict(states)}\n")


async def main(seconds: float, methods: Sequence[str]) -> None:
    """Measures and prints."""
    print(f"bench.overload: {OVERLOAD} times the capacity for {seconds:g} s\n", flush=True)
    async with running_stack(1) as running:
        for what in methods:
            loads = Loads(running, what)
            for loads.bare in (False, True):
                await measure(loads, seconds)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.overload", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long the overload lasts")
    parser.add_argument("--methods", nargs="*", default=list(_SERVICES), choices=list(_SERVICES), help="which calls")
    return parser.parse_args()


if __name__ == "__main__":
    chosen = _options()
    uvloop.run(main(chosen.seconds, chosen.methods))
