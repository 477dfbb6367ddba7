"""Replicas behind one name come and go: a channel finds the new ones and loses no call with the old ones."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import grpc
from telemed.video.v1 import video_service_pb2 as pb
from telemed.video.v1.video_service_pb2_grpc import (
    VideoServiceServicer,
    VideoServiceStub,
    add_VideoServiceServicer_to_server,
)

from chassis.client import open_channel
from chassis.server import build_server
from tests.fix_dns import Names, name_server
from tests.fix_stack import free_ports

SERVICE = "telemed.video.v1.VideoService"
FIRST, SECOND, THIRD, FOURTH = (f"127.0.0.{number}" for number in range(2, 6))


class Replica(VideoServiceServicer):  # type: ignore[misc]  # generated without types
    """Tells its own address."""

    def __init__(self, address: str) -> None:
        self.address = address

    async def GetSession(self, _: pb.GetSessionRequest, __: Any) -> pb.Session:
        return pb.Session(session_id=self.address)


@asynccontextmanager
async def replica(address: str, port: int, *, connection_seconds: int = 60) -> AsyncIterator[None]:
    """One that says that it serves, and before it ends that it does not."""
    built = build_server([], services=[SERVICE], connection_seconds=connection_seconds)
    add_VideoServiceServicer_to_server(Replica(address), built.server)
    built.server.add_insecure_port(f"{address}:{port}")
    await built.server.start()
    built.health.say(serving=True)
    try:
        yield
    finally:
        built.health.say(serving=False)
        await asyncio.sleep(0.5)
        await built.server.stop(5)


class Caller:
    """Calls all the time, and counts who answered, or the code of a failure."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._video: Any = VideoServiceStub(channel)
        self.answers: Counter[str] = Counter()
        self._news = asyncio.Event()

    async def run(self) -> None:
        while True:
            try:
                answer = await self._video.GetSession(pb.GetSessionRequest(), timeout=5)
                self.answers[answer.session_id] += 1
            except grpc.aio.AioRpcError as error:
                self.answers[f"{error.code().name} {error.details()}"] += 1
            self._news.set()
            await asyncio.sleep(0.01)

    async def hears_from(self, *addresses: str) -> None:
        """Waits until each of them has answered anew."""
        before = self.answers.copy()
        async with asyncio.timeout(20):
            while not all(self.answers[one] > before[one] for one in addresses):
                self._news.clear()
                await self._news.wait()


@asynccontextmanager
async def calling(names: Names, port: int) -> AsyncIterator[Caller]:
    async with open_channel(f"dns://127.0.0.1:{names.port}/doctor.clinic.test:{port}") as channel:
        caller = Caller(channel)
        running = asyncio.create_task(caller.run())
        try:
            yield caller
        finally:
            running.cancel()


async def test_a_replica_that_is_new_gets_calls_although_no_connection_broke():
    port = free_ports(1)
    async with name_server() as names, replica(FIRST, port, connection_seconds=2), replica(SECOND, port):
        names.addresses = [FIRST]
        async with calling(names, port) as caller:
            await caller.hears_from(FIRST)
            names.addresses = [FIRST, SECOND]
            await caller.hears_from(FIRST, SECOND)
            assert caller.answers.keys() == {FIRST, SECOND}


async def test_replicas_are_replaced_one_by_one_and_no_call_fails():
    port = free_ports(1)
    async with AsyncExitStack() as rest, name_server() as names:
        old = [AsyncExitStack(), AsyncExitStack()]
        for one, address in zip(old, (FIRST, SECOND), strict=True):
            await one.enter_async_context(replica(address, port))
        names.addresses = [FIRST, SECOND]
        async with calling(names, port) as caller:
            await caller.hears_from(FIRST, SECOND)
            for one, new, left in zip(old, (THIRD, FOURTH), ([SECOND, THIRD], [THIRD, FOURTH]), strict=True):
                await rest.enter_async_context(replica(new, port))
                names.addresses = left
                await one.aclose()
                await caller.hears_from(*left)
            assert caller.answers.keys() == {FIRST, SECOND, THIRD, FOURTH}
