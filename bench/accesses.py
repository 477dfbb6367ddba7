"""What a read of patient data costs because it leaves a row: GetAppointment beside the same without.

`python -m bench.accesses`: two appointment services on one durable PostgreSQL, one of them keeping no record; under a
minute.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from itertools import cycle
from statistics import median
from typing import TYPE_CHECKING

import psycopg
import uvloop
from telemed.appointment.v1.appointment_service_pb2 import GetAppointmentRequest
from telemed.appointment.v1.appointment_service_pb2_grpc import AppointmentServiceStub

from bench.asking import CALL_SECONDS, CHANNELS
from bench.clinic import Clinic, Metadata, open_clinic
from bench.cpu import ProcessorTime
from bench.history_seed import seed_appointments
from bench.load import Call, Load, channels, drive, for_seconds, percentile
from bench.rounds import Variant, in_turn, show_rates, show_ratios, table
from stack.plan import ProcessPlan

if TYPE_CHECKING:
    from telemed.appointment.v1.appointment_service_pb2_grpc import AppointmentServiceAsyncStub

APPOINTMENTS = 2_000
CLIENTS = (1, 16)
SECONDS = 2.0
ROUNDS = 5


async def main() -> None:
    """Measures and prints."""
    print(f"bench.accesses: {SECONDS:g} s a round, {ROUNDS} rounds\n", flush=True)
    latencies: dict[str, list[float]] = {}
    costs: dict[str, list[tuple[float, float]]] = {}
    async with open_clinic() as clinic, AsyncExitStack() as stack:
        url = clinic.urls["appointment"]
        seed_appointments(url, APPOINTMENTS)
        ids = _ids_in(url)
        bare = _unrecorded(clinic)
        pids = await stack.enter_async_context(clinic.running(["appointment"], bare))
        worked = ProcessorTime({name: pids[name] for name in ("appointment", bare.name)} | clinic.postgres_pid())
        targets = {"with its row": clinic.target("appointment"), "without": f"127.0.0.1:{bare.port}"}
        stubs = {
            name: [
                AppointmentServiceStub(channel) for channel in await stack.enter_async_context(channels(to, CHANNELS))
            ]
            for name, to in targets.items()
        }

        def heard(name: str, load: Load) -> None:
            spent, calls = worked.since(), len(load.latencies)
            latencies.setdefault(name, []).extend(seconds * 1000 for seconds in load.latencies)
            service = spent["appointment"] + spent[bare.name]
            costs.setdefault(name, []).append((service / calls * 1000, spent["postgres"] / calls * 1000))

        pairs = []
        for clients in CLIENTS:
            recorded, unrecorded = (
                _variant(f"{name}, {clients} client(s)", clients, _calls(of, ids, clinic.metadata()), heard)
                for name, of in stubs.items()
            )
            pairs.append((recorded, unrecorded))
        variants = [variant for pair in pairs for variant in pair]
        await in_turn(variants, ROUNDS)
        statements = _statements(url)
    show_rates(variants)
    show_ratios(pairs)
    rows = []
    for name, all_ in latencies.items():
        service, postgres = (median(column) for column in zip(*costs[name][1:], strict=True))
        clock = (f"{percentile(all_, 50):.2f}", f"{percentile(all_, 99):.2f}")
        rows.append((name, *clock, f"{service:.2f}", f"{postgres:.2f}"))
    table(["milliseconds a call", "p50", "p99", "service's processor", "PostgreSQL's"], rows)
    print(f"  {statements}\n")


def _variant(name: str, clients: int, calls: Iterator[Call], heard: Callable[[str, Load], None]) -> Variant:
    async def measure(_: int) -> float:
        load = await drive(for_seconds(SECONDS, calls), clients)
        if load.failures:
            raise RuntimeError(f"{name}: calls failed: {load.failures}")
        heard(name, load)
        return load.rate

    return Variant(name, measure)


def _calls(stubs: "Sequence[AppointmentServiceAsyncStub]", ids: Sequence[str], caller: Metadata) -> Iterator[Call]:
    for stub, appointment_id in zip(cycle(stubs), cycle(ids), strict=False):  # neither ends
        request = GetAppointmentRequest(id=appointment_id)
        yield partial(stub.GetAppointment, request, metadata=caller, timeout=CALL_SECONDS)


def _unrecorded(clinic: Clinic) -> ProcessPlan:
    plan = clinic.another_service("appointment", "unrecorded", clinic.spare_port(), {})
    return replace(plan, module="bench.unrecorded")


def _ids_in(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute("SELECT appointment_id::text FROM appointment")]


def _statements(url: str) -> str:
    """How many rows one statement brought, on average: each leaves another version of the head."""
    with psycopg.connect(url) as connection:
        connection.execute("SELECT pg_stat_force_next_flush()")
        row = connection.execute(
            "SELECT n_tup_upd, (SELECT number FROM access_head) FROM pg_stat_all_tables WHERE relname = 'access_head'"
        ).fetchone()
    assert row is not None
    return f"{row[1]:,} rows in {row[0]:,} statements"


if __name__ == "__main__":
    uvloop.run(main())
