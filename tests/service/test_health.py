"""Health as balancers, container engines and people ask for it, and channels that heed it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from telemed.video.v1 import video_service_pb2 as pb
from telemed.video.v1.video_service_pb2_grpc import VideoServiceServicer, add_VideoServiceServicer_to_server

from chassis.client import Client, open_channel
from chassis.health import HealthServicer
from chassis.server import build_server
from kernel.errors import Refusal
from tests.fix_services import until

DESCRIPTOR = pb.DESCRIPTOR.services_by_name["VideoService"]
SERVICE, GET = DESCRIPTOR.full_name, DESCRIPTOR.methods_by_name["GetSession"]
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SERVICE_UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN


@dataclass
class Backend(VideoServiceServicer):
    """A server that counts its calls, with a health of the test's choice."""

    health: HealthServicer
    port: int = 0
    calls: int = 0

    async def GetSession(self, request: pb.GetSessionRequest, _: Any) -> pb.Session:
        self.calls += 1
        return pb.Session()


@asynccontextmanager
async def backend() -> AsyncIterator[Backend]:
    built = build_server([], services=[SERVICE])
    found = Backend(built.health)
    add_VideoServiceServicer_to_server(found, built.server)
    found.port = built.server.add_insecure_port("127.0.0.1:0")
    await built.server.start()
    try:
        yield found
    finally:
        await built.server.stop(None)


@dataclass
class Asked:
    """A backend, and the health service as its clients see it."""

    health: HealthServicer
    stub: Any

    async def check(self, name: str) -> int:
        reply = await self.stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=5)
        return int(reply.status)


@pytest.fixture
async def asked() -> AsyncIterator[Asked]:
    async with backend() as found, grpc.aio.insecure_channel(f"127.0.0.1:{found.port}") as channel:
        yield Asked(found.health, health_pb2_grpc.HealthStub(channel))


@dataclass
class Watcher:
    """Somebody who watches one name."""

    call: Any
    heard: list[int] = field(default_factory=list)

    async def listen(self) -> None:
        async for reply in self.call:
            self.heard.append(reply.status)


def watch(asked: Asked, name: str) -> tuple[Watcher, "asyncio.Task[None]"]:
    watcher = Watcher(asked.stub.Watch(health_pb2.HealthCheckRequest(service=name)))
    return watcher, asyncio.create_task(watcher.listen())


@pytest.mark.parametrize("name", ["", SERVICE])
async def test_a_process_serves_nothing_until_it_says_so(asked: Asked, name: str):
    assert await asked.check(name) == NOT_SERVING
    asked.health.say(serving=True)
    assert await asked.check(name) == SERVING


async def test_it_lives_whether_it_is_ready_or_not(asked: Asked):
    for ready in (False, True, False):
        asked.health.say(serving=ready)
        assert await asked.check("liveness") == SERVING


async def test_a_name_that_is_not_known_is_not_found(asked: Asked):
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await asked.check("telemed.nothing.v1.Nothing")
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_the_list_has_every_name_with_its_state(asked: Asked):
    for ready, state in ((False, NOT_SERVING), (True, SERVING)):
        asked.health.say(serving=ready)
        reply = await asked.stub.List(health_pb2.HealthListRequest(), timeout=5)
        assert {name: told.status for name, told in reply.statuses.items()} == {
            "": state,
            SERVICE: state,
            "liveness": SERVING,
        }


async def test_a_watcher_hears_each_change_and_an_unknown_name_is_told_as_such(asked: Asked):
    (known, one), (unknown, other) = watch(asked, SERVICE), watch(asked, "telemed.nothing.v1.Nothing")
    await until(lambda: known.heard == [NOT_SERVING] and unknown.heard == [SERVICE_UNKNOWN])
    for ready in (True, False):
        asked.health.say(serving=ready)
        await until(lambda ready=ready: known.heard[-1] == (SERVING if ready else NOT_SERVING))
    assert (known.heard, unknown.heard) == ([NOT_SERVING, SERVING, NOT_SERVING], [SERVICE_UNKNOWN])
    await end(one, other)


async def test_a_watcher_who_leaves_takes_nobody_elses_news_away(asked: Asked):
    (leaver, one), (stayer, other) = watch(asked, ""), watch(asked, "")
    await until(lambda: leaver.heard == stayer.heard == [NOT_SERVING])
    leaver.call.cancel()
    await end(one)
    asked.health.say(serving=True)
    await until(lambda: stayer.heard == [NOT_SERVING, SERVING])
    await end(other)


async def end(*tasks: "asyncio.Task[None]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def balanced(backends: Sequence[Backend]) -> AsyncIterator[Client]:
    """A client as our processes have them, over all of those backends."""
    target = "ipv4:" + ",".join(f"127.0.0.1:{one.port}" for one in backends)
    async with open_channel(target) as channel:
        yield Client(channel, str, target=target)


async def ask(client: Client) -> bool:
    try:
        await client.unary(GET, pb.GetSessionRequest(), pb.Session)
    except Refusal:
        return False
    return True


async def test_a_backend_that_says_it_does_not_serve_gets_no_call():
    async with AsyncExitStack() as stack:
        backends = [await stack.enter_async_context(backend()) for _ in range(2)]
        client = await stack.enter_async_context(balanced(backends))
        good, bad = backends
        for one in backends:
            one.health.say(serving=True)
        async with asyncio.timeout(10):
            while not (good.calls and bad.calls):
                await ask(client)
        bad.health.say(serving=False)
        async with asyncio.timeout(10):
            while True:  # until the channel has heard of it: twenty calls in a row that the other one got
                before = good.calls
                assert all([await ask(client) for _ in range(20)])
                if good.calls == before + 20:
                    break
        counted = bad.calls
        assert all([await ask(client) for _ in range(40)])
        assert bad.calls == counted
        bad.health.say(serving=True)
        async with asyncio.timeout(10):
            while bad.calls == counted:
                assert await ask(client)


async def test_with_no_backend_that_serves_a_call_fails_and_reaches_none():
    async with backend() as only, balanced([only]) as client:
        assert not await ask(client)
        assert only.calls == 0
