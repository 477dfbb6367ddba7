"""Reads of the doctor service at 10,000 doctors and 1,000,000 booked visits.

`python -m bench.scale`: GetAvailability beside an echo of the same answer, and beside a clinic of 100 doctors without a
visit; then how long a search for who is free, a match and a month of slots take. Some two minutes.
"""

import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from itertools import islice
from statistics import median
from typing import TYPE_CHECKING

import uvloop
from google.protobuf.message import Message
from google.type.timeofday_pb2 import TimeOfDay
from psycopg.conninfo import make_conninfo
from telemed.doctor.v1.availability_pb2 import ListSlotsRequest, SearchAvailabilityRequest
from telemed.doctor.v1.doctor_service_pb2 import MatchDoctorsRequest
from telemed.type.v1.scheduling_pb2 import APPOINTMENT_TYPE_GENERAL_CONSULTATION

from bench import asking, crowd, doctors
from bench.clinic import Clinic, Metadata, open_clinic
from bench.cpu import ProcessorTime
from bench.load import Load, drive, percentile
from bench.rounds import in_turn, show_rates, show_ratios, table
from chassis.migrations import migrate
from chassis.protos import from_date
from stack.databases import create_when_missing, migrations_of
from stack.plan import HOST, ProcessPlan

if TYPE_CHECKING:
    from telemed.doctor.v1.doctor_service_pb2_grpc import DoctorServiceAsyncStub  # a type alone

SECONDS = 2.0
ROUNDS = 5
SMALL = 100  # doctors of the clinic beside
CALLS = 100  # of each kind whose latency is told, after ten that are not
_NOT_COUNTED = 10
_SEED = 20261122


async def main() -> None:
    """Measures and prints."""
    print(f"bench.scale: {crowd.DOCTORS:,} doctors, {crowd.VISITS:,} booked visits\n", flush=True)
    async with open_clinic() as clinic, AsyncExitStack() as stack:
        first = doctors.first_day()
        await crowd.add_doctors(clinic.urls["doctor"], crowd.DOCTORS)
        await crowd.add_visits(clinic.urls["doctor"], first)
        small = await _small_clinic(clinic)
        pids = await stack.enter_async_context(clinic.running(["appointment", "doctor"], small))
        caller = clinic.metadata()
        large_stubs = await asking.stubs_of(stack, clinic.target("doctor"))
        small_stubs = await asking.stubs_of(stack, f"{HOST}:{small.port}")
        reply = await asking.ask(large_stubs[0], next(asking.wishes(first, crowd.DOCTORS)), caller)
        echo = asking.echo_plan(clinic, reply)
        pids |= await stack.enter_async_context(clinic.running([], echo))
        echo_stubs = await asking.stubs_of(stack, f"{HOST}:{echo.port}")
        worked = ProcessorTime({name: pids[name] for name in ("doctor", small.name, "echo")} | clinic.postgres_pid())
        costs: dict[str, list[dict[str, float]]] = {}

        def heard(name: str, load: Load) -> None:
            each = {process: seconds / len(load.latencies) for process, seconds in worked.since().items()}
            costs.setdefault(name, []).append(each | {"client": load.client_seconds / len(load.latencies)})

        rounds = [
            asking.variant(name, SECONDS, partial(asking.calls_of, stubs, asking.wishes(first, count), caller), heard)
            for name, stubs, count in (
                ("echo", echo_stubs, crowd.DOCTORS),
                ("large clinic", large_stubs, crowd.DOCTORS),
                ("small clinic", small_stubs, SMALL),
            )
        ]
        echoed, large, little = rounds
        await _meet_everyone(large_stubs[0], caller, first)
        await in_turn(rounds, ROUNDS)
        print(f"  GetAvailability of a day, {reply.ByteSize():,} bytes, {asking.CLIENTS} clients, {ROUNDS} rounds\n")
        show_rates(rounds)
        show_ratios([(large, echoed), (large, little)])
        _show_costs(costs)
        await _show_latencies(large_stubs, caller, first, worked)


async def _small_clinic(clinic: Clinic) -> ProcessPlan:
    """A doctor service with a database of its own: few doctors and no visits."""
    url = make_conninfo(clinic.urls["doctor"], dbname="bench_small")
    await create_when_missing(url)
    await migrate(url, migrations_of("doctor"))
    await crowd.add_doctors(url, SMALL)
    return clinic.another_doctor_service("small", clinic.spare_port(1), {"DOCTOR_DATABASE_URL": url})


async def _meet_everyone(stub: "DoctorServiceAsyncStub", caller: Metadata, first: date) -> None:
    """Has the service read every doctor once, as after its first minutes; what it must read anew costs more."""
    for number in range(crowd.SPECIALTIES):
        wish = SearchAvailabilityRequest(date=from_date(first), specialty=f"Specialty {number}")
        await stub.SearchAvailability(wish, metadata=caller, timeout=asking.CALL_SECONDS)


def _show_costs(costs: dict[str, list[dict[str, float]]]) -> None:
    """Prints the processor time of a call, wherever it was spent."""
    names = list(next(iter(costs.values()))[0])
    rows = [
        (variant, *(f"{median(each[name] for each in rounds) * 1000:.2f}" for name in names))
        for variant, rounds in costs.items()
    ]
    table(["processor ms a call", *names], rows)


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of call whose latency is told, and what it must stay under at p95, in milliseconds."""

    name: str
    method: str
    target: int
    request: Callable[[random.Random, date], Message]


_KINDS = (
    _Kind(
        f"SearchAvailability, {crowd.DOCTORS // crowd.SPECIALTIES} doctors, a day",
        "SearchAvailability",
        150,
        lambda chance, day: SearchAvailabilityRequest(date=from_date(day), specialty=_specialty(chance)),
    ),
    _Kind(
        f"MatchDoctors, {crowd.DOCTORS // crowd.SPECIALTIES} candidates, a morning",
        "MatchDoctors",
        200,
        lambda chance, day: MatchDoctorsRequest(
            appointment_type=APPOINTMENT_TYPE_GENERAL_CONSULTATION,
            specialty_required=_specialty(chance),
            preferred_date=from_date(day),
            preferred_time_start=TimeOfDay(hours=9),
            preferred_time_end=TimeOfDay(hours=12),
        ),
    ),
    _Kind(
        "ListSlots, 31 days, a page of 200",
        "ListSlots",
        50,
        lambda chance, day: ListSlotsRequest(
            doctor_id=doctors.doctor_id(chance.randrange(crowd.DOCTORS)),
            from_date=from_date(day),
            to_date=from_date(day + timedelta(days=30)),
            page_size=200,
        ),
    ),
)


def _specialty(chance: random.Random) -> str:
    return f"Specialty {chance.randrange(crowd.SPECIALTIES)}"


async def _show_latencies(
    stubs: "list[DoctorServiceAsyncStub]", caller: Metadata, first: date, worked: ProcessorTime
) -> None:
    rows = []
    for kind in _KINDS:
        for clients in (1, 4):
            worked.since()
            load = await drive(_calls(kind, stubs, caller, first), clients)
            if load.failures:
                raise RuntimeError(f"{kind.name}: calls failed: {load.failures}")
            milliseconds = [seconds * 1000 for seconds in load.latencies[_NOT_COUNTED:]]
            told = (f"{percentile(milliseconds, p):.0f}" for p in (50, 95, 100))
            cost = worked.since()
            spent = (f"{cost[name] / len(load.latencies) * 1000:.0f}" for name in ("doctor", "postgres"))
            rows.append((f"{kind.name}; clients: {clients}", *told, str(kind.target), *spent))
    table(["milliseconds", "p50", "p95", "max", "target of p95", "processor: doctor", "postgres"], rows)


def _calls(
    kind: _Kind, stubs: "list[DoctorServiceAsyncStub]", caller: Metadata, first: date
) -> Iterator[Callable[[], Awaitable[object]]]:
    chance = random.Random(_SEED)  # noqa: S311  no secret
    days = (first + timedelta(days=chance.randrange(doctors.DAYS - 31)) for _ in iter(int, 1))
    for number, day in enumerate(islice(days, CALLS + _NOT_COUNTED)):
        call = getattr(stubs[number % len(stubs)], kind.method)
        yield partial(call, kind.request(chance, day), metadata=caller, timeout=asking.CALL_SECONDS)


if __name__ == "__main__":
    uvloop.run(main())
