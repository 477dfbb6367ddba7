"""Real gRPC processes on loopback, tokens for callers, and stubs that send them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pytest

from chassis.context import Role
from chassis.process import GrpcProcess
from chassis.settings import SharedSettings
from stack.issuer import Issuer


@dataclass(frozen=True)
class Callers:
    """Makes callers: gRPC metadata with a good token."""

    issuer: Issuer

    def metadata(self, role: Role, subject: str | None = None, actor: str = "") -> list[tuple[str, str]]:
        return [("authorization", f"Bearer {self.token(role, subject, actor=actor)}")]

    def token(
        self, role: Role, subject: str | None = None, ttl: timedelta = timedelta(minutes=10), actor: str = ""
    ) -> str:
        return self.issuer.mint(role, subject or str(uuid4()), now=datetime.now(UTC), ttl=ttl, actor=actor)


@pytest.fixture
def callers(tmp_path: Path) -> Callers:
    return Callers(Issuer.of(tmp_path))


@pytest.fixture
def shared(callers: Callers, tmp_path: Path) -> SharedSettings:
    """The settings that all processes of a test share."""
    return shared_settings(callers, tmp_path)


def shared_settings(callers: Callers, folder: Path) -> SharedSettings:
    """Settings that trust those callers, with an identity for service-to-service calls kept in a folder."""
    token_file = folder / "service.token"
    token_file.write_text(callers.token(Role.SERVICE, "test-service", ttl=timedelta(hours=1)))
    return SharedSettings(demo=True, jwks_file=callers.issuer.jwks_file, service_token_file=token_file)


async def until(condition: Callable[[], bool], *, seconds: float = 5) -> None:
    """Waits, at most so many seconds, until a condition of another task's making holds."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event of its own
            await asyncio.sleep(0.01)


@asynccontextmanager
async def running(process: GrpcProcess) -> AsyncIterator[str]:
    """Runs a process and tells its address."""
    port = await process.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await process.stop()


@asynccontextmanager
async def serving(register: Callable[[grpc.aio.Server], None]) -> AsyncIterator[str]:
    """Runs a bare gRPC server with a servicer of the test's own and tells its address."""
    server = grpc.aio.server()
    register(server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)


@asynccontextmanager
async def stub(kind: Callable[[grpc.aio.Channel], Any], target: str) -> AsyncIterator[Any]:
    """A stub of a generated class over a channel of its own."""
    async with grpc.aio.insecure_channel(target) as channel:
        yield kind(channel)
