"""Watchers of the change feed while processes come and go: what ends their streams, and that they miss nothing."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import psycopg
from telemed.appointment.v1 import appointment_service_pb2 as appointments
from telemed.appointment.v1.appointment_service_pb2_grpc import AppointmentServiceStub

from bench.mixed import channel_options
from bench.outcomes import told_by
from bench.running import Running, until
from stack.plan import HOST

_PAUSE_SECONDS = 0.2
_SILENCE_SECONDS = 20.0  # a sign of life comes every five
_EVENT_ID = re.compile(rb"^id: (\d+)$", re.MULTILINE)
_PATH = "/appointments/changes?max_changes_per_message=100"


@dataclass(slots=True)
class Watcher:
    """One that resumes after every break: how often streams ended and how, the last number seen, and what was wrong."""

    name: str
    position: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def see(self, numbers: list[int]) -> None:
        """Changes as they came."""
        for number in numbers:
            if number != self.position + 1:
                self.faults.append(f"{self.name}: {number} came after {self.position}")
            self.position = max(self.position, number)


@dataclass(frozen=True, slots=True)
class Watching:
    """All watchers of a run."""

    running: Running
    watchers: list[Watcher]

    @property
    def faults(self) -> list[str]:
        """Gaps and repeats."""
        return [fault for watcher in self.watchers for fault in watcher.faults]

    def summary(self) -> str:
        """One line."""
        told = (f"{one.name} saw {one.position:,} changes, streams ended {dict(one.ends)}" for one in self.watchers)
        return "; ".join(told) + (f"; FAULTS {self.faults[:5]}" if self.faults else "")

    async def caught_up(self) -> None:
        """Waits until every watcher has been shown the whole feed. Raises TimeoutError when one is not."""

        async def all_have() -> bool:
            head = await _head(self.running)
            return all(watcher.position >= head for watcher in self.watchers)

        await until(all_have, "every watcher has seen the whole feed", 60)


@asynccontextmanager
async def watching(running: Running) -> AsyncIterator[Watching]:
    """Two watchers from now on, one through gRPC and one of server-sent events."""
    head = await _head(running)
    through_grpc, events = Watcher("gRPC", head), Watcher("events", head)
    channel = grpc.aio.insecure_channel(running.target("appointment"), options=channel_options(retries=False))
    tasks = [
        asyncio.create_task(_keep(_watch_grpc, channel, running.token(), through_grpc)),
        asyncio.create_task(_keep(_watch_events, running.port, running.token(), events)),
    ]
    try:
        yield Watching(running, [through_grpc, events])
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await channel.close()


async def _keep(watch: Any, where: Any, token: str, watcher: Watcher) -> None:
    while True:
        try:
            async with asyncio.timeout(None) as limit:
                await watch(where, token, watcher, limit)
            watcher.ends["ended"] += 1
        except grpc.aio.AioRpcError as error:
            watcher.ends[f"{error.code().name} {told_by(error)[0]}".strip()] += 1
        except (OSError, EOFError) as error:
            watcher.ends[type(error).__name__] += 1
        await asyncio.sleep(_PAUSE_SECONDS)


async def _watch_grpc(channel: grpc.aio.Channel, token: str, watcher: Watcher, limit: asyncio.Timeout) -> None:
    stub: Any = AppointmentServiceStub(channel)
    request = appointments.WatchChangesRequest(after_revision=str(watcher.position), max_changes_per_message=100)
    call = stub.WatchChanges(request, metadata=[("authorization", f"Bearer {token}")])
    try:
        async for message in call:
            limit.reschedule(asyncio.get_running_loop().time() + _SILENCE_SECONDS)
            watcher.see([int(change.revision) for change in message.changes])
    finally:
        call.cancel()


async def _watch_events(port: int, token: str, watcher: Watcher, limit: asyncio.Timeout) -> None:
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        head = f"GET {_PATH} HTTP/1.1\r\nhost: {HOST}\r\nauthorization: Bearer {token}\r\n"
        writer.write(f"{head}accept: text/event-stream\r\nlast-event-id: {watcher.position}\r\n\r\n".encode())
        status = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in status.splitlines()[0]:
            watcher.ends[status.splitlines()[0].decode()] += 1
            return
        while True:
            size = int(await reader.readline(), 16)
            if not size:
                return
            chunk = (await reader.readexactly(size + 2))[:-2]
            limit.reschedule(asyncio.get_running_loop().time() + _SILENCE_SECONDS)
            _see_event(chunk, watcher)
    except ValueError as error:  # the connection ended where a chunk's size should have been
        raise EOFError from error
    finally:
        writer.close()


def _see_event(chunk: bytes, watcher: Watcher) -> None:
    if chunk.startswith(b":"):
        return
    data = json.loads(next(line for line in chunk.split(b"\n") if line.startswith(b"data: "))[6:])
    if chunk.startswith(b"event: problem"):
        watcher.ends[f"problem {data['reason']}"] += 1
    elif _EVENT_ID.search(chunk):
        watcher.see([int(change["revision"]) for change in data.get("changes", [])])


async def _head(running: Running) -> int:
    url = running.state.database_urls["appointment"]
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        cursor = await connection.execute(
            "SELECT coalesce(max(revision), 0), (SELECT count(*) FROM event_pending) FROM feed"
        )
        row = await cursor.fetchone()
    assert row is not None, "an aggregate has a row"
    return int(row[0]) + int(row[1])
