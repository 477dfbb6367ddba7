"""What tracing costs: processor time of a call with every trace recorded, with one in a hundred, and with none.

`python -m bench.tracing`: three sets of processes on one PostgreSQL, asked in turn; some two minutes.
"""

import os
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from statistics import median

import uvloop

from bench import asking, doctors
from bench.clinic import Clinic, open_clinic
from bench.cpu import ProcessorTime
from bench.http_client import Connection, connected
from bench.load import Call, drive
from bench.rounds import table
from bench.span_trees import receiving
from stack.plan import GATEWAY, HOST, Plan

CALLS = 1_500
ROUNDS = 6
# How much of it is recorded, by the name of the variant; None is without an address to send spans to.
_RATIOS = {"no tracing": None, "1 % sampled": "0.01", "100 % sampled": "1.0"}


@dataclass(slots=True)
class Way:
    """One set of processes, and the milliseconds of processor time that a call cost its gateway and services."""

    name: str
    time: ProcessorTime
    port: int
    token: str
    cost: list[float] = field(default_factory=list)


async def main() -> None:
    """Measures and prints."""
    print(f"bench.tracing: {CALLS:,} availability reads through the gateway a round, {ROUNDS} rounds\n", flush=True)
    async with open_clinic() as clinic, AsyncExitStack() as stack:
        await doctors.add_doctors(clinic.urls["doctor"])
        _, address = await stack.enter_async_context(receiving())
        ways = [
            await _way(stack, name, ratio, address, replace(clinic, plan=_moved(clinic, place)))
            for place, (name, ratio) in enumerate(_RATIOS.items())
        ]
        for round_number in range(ROUNDS + 1):
            for way in ways:
                await _measure(way, counts=round_number > 0)
    _show(ways)


def _moved(clinic: Clinic, place: int) -> Plan:
    return replace(clinic.plan, port=clinic.plan.port + 20 * place)


async def _way(stack: AsyncExitStack, name: str, ratio: str | None, address: str, clinic: Clinic) -> Way:
    wanted = {"OTEL_EXPORTER_OTLP_ENDPOINT": address if ratio else "", "TELEMED_TRACE_SAMPLE_RATIO": ratio or "1.0"}
    os.environ |= wanted
    pids = await stack.enter_async_context(clinic.running(["appointment", "doctor", "video", GATEWAY]))
    time = ProcessorTime({"gateway": pids[GATEWAY], "doctor": pids["doctor"]})
    return Way(name, time, clinic.plan.ports[GATEWAY], clinic.token())


async def _measure(way: Way, *, counts: bool) -> None:
    async with AsyncExitStack() as stack:
        # Anew each round: the gateway closes what was idle while the others had their turn.
        wires = [await stack.enter_async_context(connected(HOST, way.port, way.token)) for _ in range(asking.CLIENTS)]
        way.time.since()
        await drive(_calls(wires), asking.CLIENTS)
        seconds = sum(way.time.since().values())
    if counts:
        way.cost.append(1_000 * seconds / CALLS)


def _calls(wires: list[Connection]) -> Iterator[Call]:
    free = list(wires)

    async def get(wish: asking.Wish) -> None:
        wire = free.pop()
        await wire.get(f"/doctors/{wish[0]}/availability?date={wish[1].isoformat()}")
        free.append(wire)

    wishes = asking.wishes(doctors.first_day())
    return (partial(get, next(wishes)) for _ in range(CALLS))


def _show(ways: list[Way]) -> None:
    table(
        ["processor time, ms a call", "median", "least", "most"],
        [(w.name, f"{median(w.cost):.3f}", f"{min(w.cost):.3f}", f"{max(w.cost):.3f}") for w in ways],
    )
    none = ways[0]
    rows = []
    for way in ways[1:]:
        ratios = [a / b for a, b in zip(way.cost, none.cost, strict=True)]
        rows.append((f"{way.name} ÷ {none.name}", f"{median(ratios):.2f}", f"{min(ratios):.2f}", f"{max(ratios):.2f}"))
    table(["same-round ratio", "median", "least", "most"], rows)


if __name__ == "__main__":
    uvloop.run(main())
