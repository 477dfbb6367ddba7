"""GetAvailability as a load: who is asked about which day, over how many connections, beside which echo."""

import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from datetime import date, timedelta
from functools import partial
from itertools import cycle
from typing import TYPE_CHECKING

from telemed.doctor.v1.doctor_service_pb2 import GetAvailabilityRequest, GetAvailabilityResponse
from telemed.doctor.v1.doctor_service_pb2_grpc import DoctorServiceStub

from bench import doctors
from bench.clinic import Clinic, Metadata
from bench.load import Call, Load, channels, drive, for_seconds
from bench.rounds import Variant
from chassis.protos import from_date
from stack.plan import HOST, ProcessPlan

if TYPE_CHECKING:
    from telemed.doctor.v1.doctor_service_pb2_grpc import DoctorServiceAsyncStub  # a type alone

CLIENTS = 16
CHANNELS = 4
CALL_SECONDS = 10.0
_SEED = 20261122

Wish = tuple[str, date]


def wishes(first: date, count: int = doctors.DOCTORS) -> Iterator[Wish]:
    """One of so many doctors and a day for each call, in an order that is the same in every run."""
    chance = random.Random(_SEED)  # noqa: S311  no secret
    while True:
        yield doctors.doctor_id(chance.randrange(count)), first + timedelta(chance.randrange(doctors.DAYS))


async def stubs_of(stack: AsyncExitStack, target: str) -> "list[DoctorServiceAsyncStub]":
    """A stub on each of several connections to a doctor service."""
    return [DoctorServiceStub(channel) for channel in await stack.enter_async_context(channels(target, CHANNELS))]


def ask(stub: "DoctorServiceAsyncStub", wish: Wish, caller: Metadata) -> Awaitable[GetAvailabilityResponse]:
    """One GetAvailability."""
    request = GetAvailabilityRequest(doctor_id=wish[0], date=from_date(wish[1]))
    return stub.GetAvailability(request, metadata=caller, timeout=CALL_SECONDS)


def calls_of(stubs: "list[DoctorServiceAsyncStub]", asked: Iterator[Wish], caller: Metadata) -> Iterator[Call]:
    """A call for each wish, the connections in turn."""
    for stub, wish in zip(cycle(stubs), asked, strict=False):  # the wishes never end
        yield partial(ask, stub, wish, caller)


def variant(
    name: str, seconds: float, calls: Callable[[], Iterator[Call]], heard: Callable[[str, Load], None]
) -> Variant:
    """A load of so many seconds a round; `heard` gets every round that counts. A call that fails ends the run."""

    async def measure(round_number: int) -> float:
        load = await drive(for_seconds(seconds, calls()), CLIENTS)
        if load.failures:
            raise RuntimeError(f"{name}: calls failed: {load.failures}")
        if round_number > 0:
            heard(name, load)
        return load.rate

    return Variant(name, measure)


def echo_plan(clinic: Clinic, reply: GetAvailabilityResponse) -> ProcessPlan:
    """A process that gives that answer to everybody."""
    file = clinic.plan.data / "reply.binpb"
    file.write_bytes(reply.SerializeToString())
    port = clinic.spare_port()
    environment = {
        "TELEMED_DEMO": "true",
        "TELEMED_JWKS_FILE": str(clinic.issuer.jwks_file),
        "ECHO_HOST": HOST,
        "ECHO_PORT": str(port),
        "ECHO_REPLY_FILE": str(file),
    }
    return ProcessPlan("echo", "bench.echo", port, environment, clinic.plan.logs / "echo.log")
