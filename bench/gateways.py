"""The JSON gateway beside Envoy's transcoder and Go's grpc-gateway, before the same doctor service, and beside gRPC.

`python -m bench.gateways`: GetAvailability of one doctor's day by 16 clients, a minute; Envoy comes with the
development dependencies. `--go FILE` adds what `bench/grpc_gateway/build.sh FILE` has built; `--echo` puts the echo
behind them all in place of the doctor service, so that a gateway is most of what is measured.
"""

import argparse
import asyncio
import json
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import uvloop
from telemed.doctor.v1 import doctor_service_pb2

from bench import asking, doctors
from bench.clinic import Clinic, open_clinic
from bench.cpu import ProcessorTime
from bench.http_client import Connection, connected
from bench.load import Call, Load, percentile
from bench.rounds import Variant, in_turn, show_rates, show_ratios, table
from stack.plan import GATEWAY, HOST, ProcessPlan
from tools import envoy

SECONDS = 2.0
ROUNDS = 5
_SERVICE = doctor_service_pb2.DESCRIPTOR.services_by_name["DoctorService"]
_WAIT_SECONDS = 20.0


@dataclass(slots=True)
class Costs:
    """What the rounds of one variant took: latencies, and processor time by process."""

    latencies: list[float] = field(default_factory=list)
    client_seconds: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)

    def per_call(self, process: str) -> float:
        """Milliseconds of a process's processor time a call."""
        return 1000 * self.seconds.get(process, 0.0) / len(self.latencies)


async def main(go: Path | None, *, echo: bool) -> None:
    """Measures and prints."""
    behind = "an echo of the answer" if echo else "the doctor service"
    print(f"bench.gateways: before {behind}, {asking.CLIENTS} clients, {ROUNDS} rounds of {SECONDS:g} s\n", flush=True)
    costs: dict[str, Costs] = {}
    async with open_clinic() as clinic, AsyncExitStack() as stack:
        await doctors.add_doctors(clinic.urls["doctor"])
        pids = await stack.enter_async_context(clinic.running(["appointment", "doctor", "video"]))
        token, caller = clinic.token(), clinic.metadata()
        asked = asking.wishes(doctors.first_day())
        stubs = await asking.stubs_of(stack, clinic.target("doctor"))
        reply = await asking.ask(stubs[0], next(asked), caller)
        target = clinic.target("doctor")
        if echo:
            plan = asking.echo_plan(clinic, reply)
            pids |= await stack.enter_async_context(clinic.running([], plan))
            target = f"{HOST}:{plan.port}"
            stubs = await asking.stubs_of(stack, target)
        pids |= await stack.enter_async_context(clinic.running([], _gateway(clinic, target)))
        ports = {GATEWAY: clinic.plan.ports[GATEWAY], "Envoy": clinic.spare_port(1)}
        pids["Envoy"] = stack.enter_context(_envoy(clinic, ports["Envoy"], target)).pid
        if go is not None:
            ports["grpc-gateway"] = port = clinic.spare_port(2)
            pids["grpc-gateway"] = stack.enter_context(_process([str(go), f"{HOST}:{port}", target])).pid
        worked = ProcessorTime(pids)

        def measured(name: str, calls: Callable[[], Iterator[Call]]) -> Variant:
            return _with_costs(asking.variant(name, SECONDS, calls, partial(_heard, costs)), costs, worked)

        direct = measured("gRPC", lambda: asking.calls_of(stubs, asked, caller))
        variants = {}
        for name, port in ports.items():
            await _until_it_listens(port)
            wires = [await stack.enter_async_context(connected(HOST, port, token)) for _ in range(asking.CLIENTS)]
            body = json.loads(await wires[0].get(_path(next(asked))))
            assert len(body["morning_slots"]) + len(body["afternoon_slots"]) == doctors.SLOTS_A_DAY
            variants[name] = measured(name, partial(_http_calls, wires, asked))
        await in_turn([direct, *variants.values()], ROUNDS)
    show_rates([direct, *variants.values()])
    ours, *others = variants.values()
    show_ratios([(ours, other) for other in others] + [(one, direct) for one in variants.values()])
    _show_costs(costs, "echo" if echo else "doctor")


def _gateway(clinic: Clinic, target: str) -> ProcessPlan:
    """The clinic's gateway, before another address when it is told one."""
    plan = clinic.plan_of(GATEWAY)
    upstreams = json.loads(plan.environment["GATEWAY_UPSTREAMS"]) | {_SERVICE.file.package: target}
    # Connections rest while it is the others' turn.
    mine = {"GATEWAY_UPSTREAMS": json.dumps(upstreams), "GATEWAY_KEEP_ALIVE_SECONDS": "60"}
    return replace(plan, environment={**plan.environment, **mine})


@contextmanager
def _envoy(clinic: Clinic, port: int, target: str) -> Iterator[Any]:
    binary = envoy.binary()
    if binary is None:
        raise SystemExit("there is no build of Envoy for this machine")
    before = envoy.Before(target, [_SERVICE.full_name], envoy.files_of([_SERVICE]))
    with envoy.running(binary, clinic.plan.logs, port, before) as process:
        yield process


@contextmanager
def _process(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


async def _until_it_listens(port: int) -> None:
    async with asyncio.timeout(_WAIT_SECONDS):
        while True:
            try:
                _, writer = await asyncio.open_connection(HOST, port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


def _heard(costs: dict[str, Costs], name: str, load: Load) -> None:
    cost = costs.setdefault(name, Costs())
    cost.latencies.extend(load.latencies)
    cost.client_seconds += load.client_seconds


def _with_costs(variant: Variant, costs: dict[str, Costs], worked: ProcessorTime) -> Variant:
    """The variant, with the processor time of its counted rounds noted."""
    measure: Callable[[int], Awaitable[float]] = variant.measure

    async def noted(round_number: int) -> float:
        worked.since()
        rate = await measure(round_number)
        if round_number > 0:
            cost = costs[variant.name]
            for process, seconds in worked.since().items():
                cost.seconds[process] = cost.seconds.get(process, 0.0) + seconds
        return rate

    return Variant(variant.name, noted)


def _path(wish: asking.Wish) -> str:
    """The same for all three: civil dates as text are the gateway's own."""
    doctor, day = wish
    return f"/doctors/{doctor}/availability?date.year={day.year}&date.month={day.month}&date.day={day.day}"


def _http_calls(wires: list[Connection], wishes: Iterator[asking.Wish]) -> Iterator[Call]:
    """Each call takes a connection that is free: there are as many as clients."""
    free = list(wires)

    async def get(wish: asking.Wish) -> None:
        wire = free.pop()
        await wire.get(_path(wish))
        free.append(wire)

    for wish in wishes:
        yield partial(get, wish)


def _show_costs(costs: dict[str, Costs], service: str) -> None:
    """Prints what a call took, and whose processor time."""
    rows = []
    for name, cost in costs.items():
        own = cost.per_call(name)
        rows.append(
            (
                name,
                f"{1000 * percentile(cost.latencies, 50):.1f}",
                f"{1000 * percentile(cost.latencies, 99):.1f}",
                f"{own:.3f}" if own else "",
                f"{cost.per_call(service):.3f}",
                f"{1000 * cost.client_seconds / len(cost.latencies):.3f}",
            )
        )
    table(["milliseconds a call", "p50", "p99", "processor: its own", service, "client"], rows)
    direct = costs["gRPC"]
    added = median(costs["gateway"].latencies) - median(direct.latencies)
    print(f"  the gateway adds {1000 * added:.2f} ms to a call (medians under this load)\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.gateways", description=__doc__)
    parser.add_argument("--go", type=Path, help="Go's grpc-gateway, built by bench/grpc_gateway/build.sh")
    parser.add_argument("--echo", action="store_true", help="an echo behind all of them")
    return parser.parse_args()


if __name__ == "__main__":
    started, chosen = time.monotonic(), _arguments()
    uvloop.run(main(chosen.go, echo=chosen.echo))
    print(f"  {time.monotonic() - started:.0f} s")
