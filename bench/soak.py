"""Half an hour of everyday load with cancels and short deadlines: what memory, files, threads and connections do.

`python -m bench.soak --minutes 30`: one replica of each process; every ten seconds the figures of each. After a warm-up
of a fifth of the time it prints the first and the last figure of each, and the slope. It fails nothing.
"""

import argparse
import asyncio
import random
import statistics
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import httpx
import psycopg
import uvloop
from telemed.appointment.v1 import appointment_service_pb2 as appointments
from telemed.appointment.v1.appointment_service_pb2_grpc import AppointmentServiceStub
from telemed.doctor.v1 import availability_pb2
from telemed.doctor.v1.doctor_service_pb2_grpc import DoctorServiceStub

from bench import doctors
from bench.mixed import channel_options, mixed_load
from bench.rounds import table
from bench.running import Running, running_stack
from stack.plan import GATEWAY, HOST, Plan

CLIENTS = 6
PAUSE_SECONDS = 0.15
_LOOK_SECONDS = 10.0
_WARM_UP = 0.2
_MIB = 1024
_TASKS = "telemed_event_loop_tasks "
_HOUR = 3600.0
_CONNECTIONS = "SELECT datname, count(*) FROM pg_stat_activity WHERE datname LIKE 'telemed_%' GROUP BY datname"


@dataclass(slots=True)
class Course:
    """The figures of one process or database, each with when it was taken: seconds and values."""

    name: str
    taken: list[tuple[float, float]] = field(default_factory=list)

    def row(self, warm_from: float) -> tuple[str, ...]:
        """First, last and largest figure after the warm-up, and the slope an hour of the least squares."""
        warm = [(at, value) for at, value in self.taken if at >= warm_from] or self.taken
        slope = statistics.linear_regression(*zip(*warm, strict=True)).slope * _HOUR if len(warm) > 1 else 0.0
        values = [value for _, value in warm]
        figures = (values[0], values[-1], max(values), slope)
        return (self.name, *(f"{figure:,.1f}" for figure in figures))


class Samples:
    """Looks at every process of a stack, and at its connections to the database."""

    def __init__(self, running: Running) -> None:
        """Nothing is looked at yet."""
        self._running = running
        self._began = time.monotonic()
        self._courses: dict[str, Course] = {}
        ports = Plan(data=running.data, port=running.port).admin_ports
        self._pages = {name: port for name, port in ports.items() if name != GATEWAY}

    async def run(self) -> None:
        """Looks every ten seconds, for ever."""
        while True:
            await self._look()
            await asyncio.sleep(_LOOK_SECONDS)

    async def _look(self) -> None:
        at = time.monotonic() - self._began
        for name, tasks in await asyncio.gather(*map(_tasks_of, self._pages.items())):
            self._note(f"{name}: tasks", at, tasks)
        for name, pid in self._running.pids().items():
            if name != "postgres":
                for what, value in _of_process(pid).items():
                    self._note(f"{name}: {what}", at, value)
        url = self._running.state.database_urls["appointment"]
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            for database, count in await (await connection.execute(_CONNECTIONS)).fetchall():
                self._note(f"{database}: connections", at, count)

    def _note(self, name: str, at: float, value: float) -> None:
        self._courses.setdefault(name, Course(name)).taken.append((at, value))

    def show(self) -> None:
        """Prints a line for each figure."""
        warm_from = (time.monotonic() - self._began) * _WARM_UP
        rows = [course.row(warm_from) for _, course in sorted(self._courses.items())]
        table(["after the warm-up", "first", "last", "most", "an hour"], rows)


async def _tasks_of(page: tuple[str, int]) -> tuple[str, float]:
    name, port = page
    async with httpx.AsyncClient() as client:
        shown = (await client.get(f"http://{HOST}:{port}/metrics", timeout=30)).text
    return name, next(float(line.split()[1]) for line in shown.splitlines() if line.startswith(_TASKS))


def _of_process(pid: int) -> dict[str, float]:
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    return {
        "RSS MiB": int(status["VmRSS"].split()[0]) / _MIB,
        "descriptors": len(list(Path(f"/proc/{pid}/fd").iterdir())),
        "threads": int(status["Threads"]),
    }


async def impatience(running: Running, counts: dict[str, int]) -> None:
    """Callers who leave in the middle of a call, whose deadline is too short, or who watch for a moment; for ever."""
    rng = random.Random(11)  # noqa: S311  no secret
    metadata = (("authorization", f"Bearer {running.token()}"),)
    first = doctors.first_day()
    options = channel_options(retries=False)
    async with (
        grpc.aio.insecure_channel(running.target("doctor"), options=options) as to_doctors,
        grpc.aio.insecure_channel(running.target("appointment"), options=options) as to_appointments,
    ):
        doctor: Any = DoctorServiceStub(to_doctors)
        appointment: Any = AppointmentServiceStub(to_appointments)
        while True:
            doctor_id, start = doctors.slot(rng.randrange(doctors.SLOTS), first)
            ask = availability_pb2.ListSlotsRequest(doctor_id=doctor_id)
            for when in (ask.from_date, ask.to_date):
                when.year, when.month, when.day = start.year, start.month, start.day
            left = doctor.ListSlots(ask, metadata=metadata, timeout=5)
            await asyncio.sleep(rng.uniform(0, 0.01))
            left.cancel()
            with suppress(grpc.aio.AioRpcError):
                counts["short deadline"] = counts.get("short deadline", 0) + 1
                await doctor.ListSlots(ask, metadata=metadata, timeout=rng.uniform(0.001, 0.15))
            watch = appointment.WatchChanges(
                appointments.WatchChangesRequest(patient_id=str(uuid4())), metadata=metadata
            )
            with suppress(grpc.aio.AioRpcError):
                await watch.read()
            watch.cancel()
            counts["left"] = counts.get("left", 0) + 2
            await asyncio.sleep(PAUSE_SECONDS)


async def main(minutes: float) -> None:
    """Runs and prints."""
    print(f"bench.soak: {CLIENTS} clients and one who is impatient, {minutes:g} minutes\n", flush=True)
    counts: dict[str, int] = {}
    async with running_stack(1) as running:
        samples = Samples(running)
        beside = [asyncio.create_task(samples.run()), asyncio.create_task(impatience(running, counts))]
        async with mixed_load(running, clients=CLIENTS, pause_seconds=PAUSE_SECONDS) as tally:
            await _until_over(beside, minutes)
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        print("\n".join(tally.lines()))
        print(f"  {counts}\n")
        samples.show()


async def _until_over(beside: Sequence["asyncio.Task[None]"], minutes: float) -> None:
    """Waits so long, or raises what one of the tasks beside raises."""
    done, _ = await asyncio.wait(beside, timeout=minutes * 60, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0, help="how long")
    return parser.parse_args()


if __name__ == "__main__":
    uvloop.run(main(_options().minutes))
