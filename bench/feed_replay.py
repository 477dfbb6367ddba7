"""How fast a consumer replays the change feed from nothing, and what the history costs to verify.

`python -m bench.feed_replay`: the appointment service in a process of its own, a durable PostgreSQL; some two minutes.
"""

import asyncio
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from statistics import median

import grpc
import uvloop
from telemed.appointment.v1 import appointment_service_pb2 as pb
from telemed.appointment.v1.appointment_service_pb2_grpc import AppointmentServiceStub

from appointment_svc.storage.audit import auditing
from bench.clinic import Clinic, open_clinic
from bench.cpu import ProcessorTime
from bench.history_seed import seed
from bench.rounds import Variant, in_turn, show_rates, show_ratios, table

CHANGES = 100_000
ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Meter:
    """The processor time that the rounds took, by way and process."""

    worked: ProcessorTime
    seconds: dict[str, list[dict[str, float]]] = field(default_factory=dict)


async def main(arguments: Sequence[str] = ()) -> None:
    """Measures and prints."""
    changes = int(arguments[0]) if arguments else CHANGES
    print(f"bench.feed_replay: {changes:,} changes from nothing, {ROUNDS} rounds\n", flush=True)
    async with open_clinic() as clinic:
        seed(clinic.urls["appointment"], changes)
        async with clinic.running(["appointment"]) as pids:
            meter = Meter(ProcessorTime({"service": pids["appointment"], "client": os.getpid()}))
            one, fifty, many = (
                Variant(f"{most or 'one'} a message", partial(_replay, clinic, changes, most, meter))
                for most in (0, 50, 500)
            )
            await in_turn([one, fifty, many], ROUNDS)
            show_rates([one, fifty, many])
            show_ratios([(fifty, one), (many, one)])
            _show(meter, changes)
        await _verify(clinic.urls["appointment"])


async def _replay(clinic: Clinic, changes: int, most: int, meter: Meter, round_number: int) -> float:
    """Changes a second, from the call to the last of them."""
    meter.worked.since()
    async with grpc.aio.insecure_channel(clinic.target("appointment")) as channel:
        request = pb.WatchChangesRequest(max_changes_per_message=most)
        began, seen = time.perf_counter(), 0
        async for message in AppointmentServiceStub(channel).WatchChanges(request, metadata=clinic.metadata()):
            seen += len(message.changes) or message.HasField("change")
            if seen >= changes:
                break
        seconds = time.perf_counter() - began
    if round_number:
        meter.seconds.setdefault(f"{most or 'one'} a message", []).append(meter.worked.since())
    return seen / seconds


def _show(meter: Meter, changes: int) -> None:
    """Processor time, which does not grow when others use the machine too."""
    rows = [
        (name, *(f"{median(each[who] for each in rounds) / changes * 1e6:,.0f}" for who in ("service", "client")))
        for name, rounds in meter.seconds.items()
    ]
    table(["processor microseconds a change", "service", "client and PostgreSQL"], rows)


async def _verify(url: str) -> None:
    began = time.perf_counter()
    async with auditing(url) as audit:
        faults = [fault async for fault in audit.faults()]
    seconds = time.perf_counter() - began
    print(f"  verified {audit.checked:,} events, {len(faults)} faults: {audit.checked / seconds:,.0f} a second")


if __name__ == "__main__":
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(main(sys.argv[1:]))
