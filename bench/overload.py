"""Ten times what a clinic can do, for a minute: how long those who are taken wait, and how fast the rest are told.

`python -m bench.overload`: one replica of each process and availability reads and bookings through gRPC, one after the
other. First what it can do (a closed loop), then an open loop at a fifth of that, at ten times that, and at a fifth
again: the next call goes out on time, whether the last was answered or not. The load comes from processes of their own.
Those of the overload step back from the processor and so are late themselves; how long a call takes then is told by one
more caller, who makes few and does not step back.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any, TypedDict
from uuid import uuid4

import grpc
import uvloop
from google.type import date_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from telemed.appointment.v1 import appointment_service_pb2 as appointments
from telemed.appointment.v1.appointment_service_pb2_grpc import AppointmentServiceStub
from telemed.doctor.v1 import doctor_service_pb2 as doctor_messages
from telemed.doctor.v1.doctor_service_pb2_grpc import DoctorServiceStub
from telemed.type.v1 import scheduling_pb2

from bench import doctors
from bench.load import percentile
from bench.rounds import table
from bench.running import Running, running_stack
from chassis.protos import to_timestamp

CLIENTS = 4
UNLOADED_SHARE = 0.2
OVERLOAD = 10
_GENERATORS = 2
# Callers are other machines in life: their work must not take the processor from who is measured.
_POLITENESS = 15
_SAMPLES_A_SECOND = 40.0
_CALL_SECONDS = 10.0
_MOST_UNDER_WAY = 3_000  # of one generator; what would go beyond is not sent and is counted
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


class Caller:
    """Makes one kind of call."""

    def __init__(self, what: str, target: str, token: str, first_slot: int, step: int) -> None:
        """`first_slot` and `step` keep the generators' bookings apart."""
        options = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0)]
        self.channels = [grpc.aio.insecure_channel(target, options=options) for _ in range(2)]
        kind: Any = AppointmentServiceStub if what == "Book" else DoctorServiceStub
        self._methods = [getattr(kind(channel), what) for channel in self.channels]
        self._metadata = (("authorization", f"Bearer {token}"),)
        self._what = what
        self._slot, self._step = first_slot, step
        self._first = doctors.first_day()

    def _request(self) -> Any:
        self._slot += self._step
        doctor_id, start = doctors.slot(self._slot % doctors.SLOTS, self._first)
        if self._what == "Book":
            return appointments.BookRequest(
                patient_id=str(uuid4()),
                doctor_id=doctor_id,
                appointment_date=to_timestamp(start),
                appointment_type=scheduling_pb2.APPOINTMENT_TYPE_GENERAL_CONSULTATION,
                duration_minutes=doctors.VISIT_MINUTES,
                request_id=str(uuid4()),
            )
        day = date_pb2.Date(year=start.year, month=start.month, day=start.day)
        return doctor_messages.GetAvailabilityRequest(doctor_id=doctor_id, date=day)

    async def call(self) -> tuple[str, float]:
        """The code of one call, and the seconds that it took."""
        began = time.perf_counter()
        method = self._methods[self._slot // self._step % len(self._methods)]
        try:
            await method(self._request(), metadata=self._metadata, timeout=_CALL_SECONDS)
        except grpc.aio.AioRpcError as error:
            return error.code().name, time.perf_counter() - began
        return "OK", time.perf_counter() - began


@dataclass(frozen=True, slots=True)
class Order:
    """What a generator is to do. A rate of 0 means a closed loop of CLIENTS."""

    what: str
    target: str
    token: str
    first_slot: int
    step: int
    rate: float
    seconds: float
    politeness: int


async def generate(order: Order) -> None:
    """A generator's own process: so many calls a second, each sent when it is due; prints what came of them."""
    os.nice(order.politeness)
    caller = Caller(order.what, order.target, order.token, order.first_slot, order.step)
    await caller.call()
    ended: list[tuple[str, float]] = []
    if order.rate:
        unsent = await _open_loop(caller, order.rate, order.seconds, ended)
    else:
        unsent = await _closed_loop(caller, order.seconds, ended)
    print(json.dumps({"ended": ended, "unsent": unsent}))


async def _closed_loop(caller: Caller, seconds: float, ended: list[tuple[str, float]]) -> int:
    until = time.perf_counter() + seconds

    async def client() -> None:
        while time.perf_counter() < until:
            ended.append(await caller.call())

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return 0


async def _open_loop(caller: Caller, rate: float, seconds: float, ended: list[tuple[str, float]]) -> int:
    began = time.perf_counter()
    under_way: set[asyncio.Task[None]] = set()
    unsent = 0

    async def one() -> None:
        ended.append(await caller.call())

    for number in range(int(rate * seconds)):
        if (early := began + number / rate - time.perf_counter()) > 0:
            await asyncio.sleep(early)
        elif number % 50 == 0:
            await asyncio.sleep(0)
        if len(under_way) >= _MOST_UNDER_WAY:
            unsent += 1
            continue
        task = asyncio.create_task(one())
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    await asyncio.gather(*under_way)
    return unsent


class _Told(TypedDict):
    """What a generator tells of its calls: the code and the seconds of each, and how many it did not send."""

    ended: list[tuple[str, float]]
    unsent: int


class Loads:
    """Loads on one method of a running stack, one after the other."""

    def __init__(self, running: Running, what: str) -> None:
        """Slots are used once each, in every load other ones."""
        self._running = running
        self._what = what
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

    async def _generated(self, loads: Sequence[tuple[float, int]], seconds: float) -> list[_Told]:
        """Loads at once, each of a rate and a politeness, and what came of them."""
        target = self._running.target(_SERVICES[self._what])
        made = []
        for number, (rate, politeness) in enumerate(loads):
            first = self.used + number
            order = Order(self._what, target, self._token, first, len(loads), rate, seconds, politeness)
            made.append(
                await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "bench.overload", "--generate", json.dumps(astuple(order))),
                    stdout=asyncio.subprocess.PIPE,
                )
            )
        told: list[_Told] = [json.loads((await process.communicate())[0]) for process in made]
        self.used += len(loads) * (max(len(one["ended"]) for one in told) + 10)
        return told


def _phase(name: str, seconds: float, believed: _Told, told: Sequence[_Told]) -> Phase:
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
    caller = Caller(what, running.target(_SERVICES[what]), running.token(), first_slot, 1)
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
    await asyncio.gather(*(channel.close() for channel in caller.channels))
    return well_since - began


async def measure(running: Running, what: str, seconds: float) -> None:
    """Prints the table of one method."""
    loads = Loads(running, what)
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
    print(f"{what}: {capacity:,.0f} a second with {CLIENTS} clients; milliseconds\n")
    head = ["load", "sent/s", "OK/s", "OK p50", "OK p99", "shed", "shed p50", "shed p99", "other ends"]
    table(head, [phase.row() for phase in (most, calm, over, after)])
    ratio = percentile(over.taken, 99) / percentile(calm.taken, 99) if over.taken and calm.taken else float("nan")
    print(f"  p99 of the taken: {ratio:.1f} times the unloaded; well after {recovered:.2f} s; health {dict(states)}\n")


async def main(seconds: float, methods: Sequence[str]) -> None:
    """Measures and prints."""
    print(f"bench.overload: {OVERLOAD} times the capacity for {seconds:g} s\n", flush=True)
    async with running_stack(1) as running:
        for what in methods:
            await measure(running, what, seconds)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.overload", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long the overload lasts")
    parser.add_argument("--methods", nargs="*", default=list(_SERVICES), choices=list(_SERVICES), help="which calls")
    parser.add_argument("--generate", default="", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    chosen = _options()
    if chosen.generate:
        uvloop.run(generate(Order(*json.loads(chosen.generate))))
    else:
        uvloop.run(main(chosen.seconds, chosen.methods))
