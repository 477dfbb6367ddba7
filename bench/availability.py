"""GetAvailability of one doctor's day: beside an echo of the same answer, and through the gateway beside gRPC.

`python -m bench.availability`: doctor service, gateway and echo as processes, a durable PostgreSQL; under a minute.
"""

import itertools
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from datetime import date, timedelta
from functools import partial
from statistics import median
from typing import TYPE_CHECKING

import uvloop
from telemed.doctor.v1.doctor_service_pb2 import GetAvailabilityRequest, GetAvailabilityResponse
from telemed.doctor.v1.doctor_service_pb2_grpc import DoctorServiceStub

from bench import doctors
from bench.clinic import Clinic, Metadata, open_clinic
from bench.http_client import Connection, connected
from bench.load import Call, Load, channels, drive, for_seconds, percentile
from bench.rounds import Variant, in_turn, show_rates, show_ratios, table
from chassis.protos import from_date
from stack.plan import GATEWAY, HOST, ProcessPlan

if TYPE_CHECKING:
    from telemed.doctor.v1.doctor_service_pb2_grpc import DoctorServiceAsyncStub  # a type alone

CLIENTS = 16
CHANNELS = 4
SECONDS = 2.0
ROUNDS = 5
_CALL_SECONDS = 10.0
_SEED = 20261122


async def main() -> None:
    """Measures and prints."""
    print(f"bench.availability: {CLIENTS} clients, {SECONDS:g} s a round, {ROUNDS} rounds\n", flush=True)
    async with open_clinic() as clinic, AsyncExitStack() as stack:
        await doctors.add_doctors(clinic.urls["doctor"])
        # The appointment service has nothing to do here; the gateway is not ready without its upstreams.
        await stack.enter_async_context(clinic.running(["appointment", "doctor", "video", GATEWAY]))
        token, caller = clinic.token(), clinic.metadata()
        asked = _wishes(doctors.first_day())
        stubs = await _stubs(stack, clinic.target("doctor"))
        reply = await _ask(stubs[0], next(asked), caller)
        assert len(reply.morning_slots) + len(reply.afternoon_slots) == doctors.SLOTS_A_DAY
        echo = _echo_plan(clinic, reply)
        await stack.enter_async_context(clinic.running([], echo))
        echo_stubs = await _stubs(stack, f"{HOST}:{echo.port}")
        wires = [
            await stack.enter_async_context(connected(HOST, clinic.plan.ports[GATEWAY], token)) for _ in range(CLIENTS)
        ]
        loads: dict[str, list[Load]] = {}
        echoed = _variant("gRPC echo", lambda: _grpc_calls(echo_stubs, asked, caller), loads)
        direct = _variant("gRPC GetAvailability", lambda: _grpc_calls(stubs, asked, caller), loads)
        gateway = _variant("JSON through the gateway", lambda: _http_calls(wires, asked), loads)
        await in_turn([echoed, direct, gateway], ROUNDS)
    print(f"  an answer of {doctors.SLOTS_A_DAY} slots, {reply.ByteSize():,} bytes as protobuf\n")
    show_rates([echoed, direct, gateway])
    show_ratios([(direct, echoed), (gateway, direct)])
    _show_calls(loads)


Wish = tuple[str, date]


def _wishes(first: date) -> Iterator[Wish]:
    """A doctor and a day for each call, in an order that is the same in every run."""
    chance = random.Random(_SEED)  # noqa: S311  no secret
    while True:
        yield doctors.doctor_id(chance.randrange(doctors.DOCTORS)), first + timedelta(chance.randrange(doctors.DAYS))


def _variant(name: str, calls: Callable[[], Iterator[Call]], loads: dict[str, list[Load]]) -> Variant:
    async def measure(round_number: int) -> float:
        load = await drive(for_seconds(SECONDS, calls()), CLIENTS)
        if load.failures:
            raise RuntimeError(f"{name}: calls failed: {load.failures}")
        if round_number > 0:
            loads.setdefault(name, []).append(load)
        return load.rate

    return Variant(name, measure)


async def _stubs(stack: AsyncExitStack, target: str) -> "list[DoctorServiceAsyncStub]":
    return [DoctorServiceStub(channel) for channel in await stack.enter_async_context(channels(target, CHANNELS))]


def _ask(stub: "DoctorServiceAsyncStub", wish: Wish, caller: Metadata) -> Awaitable[GetAvailabilityResponse]:
    request = GetAvailabilityRequest(doctor_id=wish[0], date=from_date(wish[1]))
    return stub.GetAvailability(request, metadata=caller, timeout=_CALL_SECONDS)


def _grpc_calls(stubs: "list[DoctorServiceAsyncStub]", wishes: Iterator[Wish], caller: Metadata) -> Iterator[Call]:
    for stub, wish in zip(itertools.cycle(stubs), wishes, strict=False):  # the wishes never end
        yield partial(_ask, stub, wish, caller)


def _http_calls(wires: list[Connection], wishes: Iterator[Wish]) -> Iterator[Call]:
    """Each call takes a connection that is free: there are as many as clients."""
    free = list(wires)

    async def get(wish: Wish) -> None:
        wire = free.pop()
        await wire.get(f"/doctors/{wish[0]}/availability?date={wish[1].isoformat()}")
        free.append(wire)

    for wish in wishes:
        yield partial(get, wish)


def _echo_plan(clinic: Clinic, reply: GetAvailabilityResponse) -> ProcessPlan:
    file = clinic.plan.data / "reply.binpb"
    file.write_bytes(reply.SerializeToString())
    port = clinic.spare_port
    environment = {
        "TELEMED_DEMO": "true",
        "TELEMED_JWKS_FILE": str(clinic.issuer.jwks_file),
        "ECHO_HOST": HOST,
        "ECHO_PORT": str(port),
        "ECHO_REPLY_FILE": str(file),
    }
    return ProcessPlan("echo", "bench.echo", port, environment, clinic.plan.logs / "echo.log")


def _show_calls(loads: dict[str, list[Load]]) -> None:
    """Prints what a call took, and the rate at which the client alone would fill a processor."""
    rows = []
    for name, rounds in loads.items():
        latencies = [seconds * 1000 for load in rounds for seconds in load.latencies]
        ceiling = median(load.ceiling for load in rounds)
        rows.append((name, f"{percentile(latencies, 50):.1f}", f"{percentile(latencies, 99):.1f}", f"{ceiling:,.0f}"))
    table(["milliseconds a call", "p50", "p99", "client's own ceiling/s"], rows)


if __name__ == "__main__":
    uvloop.run(main())
