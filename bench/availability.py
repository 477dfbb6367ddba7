"""GetAvailability of one doctor's day: beside an echo of the same answer, and through the gateway beside gRPC.

`python -m bench.availability`: doctor service, gateway and echo as processes, a durable PostgreSQL; under a minute.
"""

from collections.abc import Iterator
from contextlib import AsyncExitStack
from functools import partial
from statistics import median

import uvloop

from bench import asking, doctors
from bench.clinic import open_clinic
from bench.http_client import Connection, connected
from bench.load import Call, Load, percentile
from bench.rounds import in_turn, show_rates, show_ratios, table
from stack.plan import GATEWAY, HOST

SECONDS = 2.0
ROUNDS = 5


async def main() -> None:
    """Measures and prints."""
    print(f"bench.availability: {asking.CLIENTS} clients, {SECONDS:g} s a round, {ROUNDS} rounds\n", flush=True)
    loads: dict[str, list[Load]] = {}
    async with open_clinic() as clinic, AsyncExitStack() as stack:
        await doctors.add_doctors(clinic.urls["doctor"])
        # The appointment service has nothing to do here; the gateway is not ready without its upstreams.
        await stack.enter_async_context(clinic.running(["appointment", "doctor", "video", GATEWAY]))
        token, caller = clinic.token(), clinic.metadata()
        asked = asking.wishes(doctors.first_day())
        stubs = await asking.stubs_of(stack, clinic.target("doctor"))
        reply = await asking.ask(stubs[0], next(asked), caller)
        assert len(reply.morning_slots) + len(reply.afternoon_slots) == doctors.SLOTS_A_DAY
        echo = asking.echo_plan(clinic, reply)
        await stack.enter_async_context(clinic.running([], echo))
        echo_stubs = await asking.stubs_of(stack, f"{HOST}:{echo.port}")
        wires = [
            await stack.enter_async_context(connected(HOST, clinic.plan.ports[GATEWAY], token))
            for _ in range(asking.CLIENTS)
        ]

        def heard(name: str, load: Load) -> None:
            loads.setdefault(name, []).append(load)

        echoed, direct, gateway = (
            asking.variant(name, SECONDS, calls, heard)
            for name, calls in (
                ("gRPC echo", lambda: asking.calls_of(echo_stubs, asked, caller)),
                ("gRPC GetAvailability", lambda: asking.calls_of(stubs, asked, caller)),
                ("JSON through the gateway", lambda: _http_calls(wires, asked)),
            )
        )
        await in_turn([echoed, direct, gateway], ROUNDS)
    print(f"  an answer of {doctors.SLOTS_A_DAY} slots, {reply.ByteSize():,} bytes as protobuf\n")
    show_rates([echoed, direct, gateway])
    show_ratios([(direct, echoed), (gateway, direct)])
    _show_calls(loads)


def _http_calls(wires: list[Connection], wishes: Iterator[asking.Wish]) -> Iterator[Call]:
    """Each call takes a connection that is free: there are as many as clients."""
    free = list(wires)

    async def get(wish: asking.Wish) -> None:
        wire = free.pop()
        await wire.get(f"/doctors/{wish[0]}/availability?date={wish[1].isoformat()}")
        free.append(wire)

    for wish in wishes:
        yield partial(get, wish)


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
