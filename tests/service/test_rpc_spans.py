"""What a call leaves in a trace on both sides of the wire: all codes, crashes, deadlines, streams that end early."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from google.rpc import code_pb2, status_pb2
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind
from telemed.video.v1 import video_service_pb2 as pb
from telemed.video.v1.video_service_pb2_grpc import (
    VideoServiceServicer,
    VideoServiceStub,
    add_VideoServiceServicer_to_server,
)

from chassis.client import Client, open_channel, server_attributes
from chassis.health import Readiness
from chassis.layers import limited_in_time, traced
from chassis.process import GrpcProcess
from chassis.rpc_errors import RemoteRefusal
from chassis.server import build_server
from chassis.telemetry import tracer
from kernel.errors import Kind, Refusal
from tests.fix_services import until
from tests.fix_spans import Spans

SERVICE = pb.DESCRIPTOR.services_by_name["VideoService"]
GET, WATCH = SERVICE.methods_by_name["GetSession"], SERVICE.methods_by_name["WatchSession"]
SECRET = "patient Jane Doe"  # noqa: S105 - what must never be in a span
# OpenTelemetry's conventions for gRPC: what is the server's own failure. For a client every code but OK is one.
SERVERS_FAULT = {"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"}
Codes = tuple[str, str]


@dataclass
class Servicer(VideoServiceServicer):
    """Ends as the session id says: with a code, a crash, or never."""

    calls: int = 0
    streams: int = 0

    async def GetSession(self, request: pb.GetSessionRequest, _: Any) -> pb.Session:
        self.calls += 1
        await _end(request.session_id)
        return pb.Session()

    async def WatchSession(self, request: pb.WatchSessionRequest, _: Any) -> AsyncIterator[pb.WatchSessionResponse]:
        self.streams += 1
        yield pb.WatchSessionResponse(seq=1)
        await _end(request.session_id)


async def _end(wish: str) -> None:
    if wish == "crash":
        raise ValueError(SECRET)
    if wish == "never":
        await asyncio.Event().wait()
    if wish != "OK":
        raise RemoteRefusal(status_pb2.Status(code=code_pb2.Code.Value(wish), message=wish), Kind.ABORTED, wish)


@dataclass
class Line:
    """Both ends of one connection."""

    servicer: Servicer
    process: GrpcProcess
    channel: grpc.aio.Channel
    client: Client
    port: int
    spans: Spans
    stopped: bool = field(default=False)

    async def get(self, wish: str) -> None:
        """A unary call inside of a trace; a refusal is what the test asks for."""
        with tracer().start_as_current_span("test"):
            try:
                await self.client.unary(GET, pb.GetSessionRequest(session_id=wish), pb.Session)
            except Refusal:
                return

    async def read(self, wish: str, most: int = 10) -> None:
        """Reads so many messages of a stream inside of a trace, at most."""
        with tracer().start_as_current_span("test"):
            replies = self.client.stream(WATCH, pb.WatchSessionRequest(session_id=wish), pb.WatchSessionResponse)
            try:
                async for _ in replies:
                    most -= 1
                    if not most:
                        break
            except Refusal:
                return
            finally:
                await replies.aclose()  # type: ignore[attr-defined]  # a generator

    async def ends(self) -> tuple[ReadableSpan, ReadableSpan]:
        """The client's and the server's span of the only call, once both have ended."""
        await until(lambda: {SpanKind.CLIENT, SpanKind.SERVER} <= {span.kind for span in self.spans.all()})
        by_kind = {span.kind: span for span in self.spans.all()}
        client, server = by_kind[SpanKind.CLIENT], by_kind[SpanKind.SERVER]
        assert server.parent is not None
        assert client.context is not None
        assert server.parent.span_id == client.context.span_id
        return client, server

    async def codes(self) -> Codes:
        """What client and server noted of the call; each as an error exactly when the conventions say so."""
        client, server = await self.ends()
        noted = code_of(client), code_of(server)
        require_error(client, noted[0] if noted[0] != "OK" else None)
        require_error(server, noted[1] if noted[1] in SERVERS_FAULT else None)
        return noted


def code_of(span: ReadableSpan) -> str:
    return str((span.attributes or {})["rpc.response.status_code"])


def require_error(span: ReadableSpan, error_type: str | None) -> None:
    assert (span.attributes or {}).get("error.type") == error_type
    assert span.status.status_code.name == ("UNSET" if error_type is None else "ERROR")
    assert (span.status.description, span.events) == (None, ())


@pytest.fixture
async def line(spans: Spans) -> AsyncIterator[Line]:
    async def well() -> None:
        return

    built = build_server([traced, limited_in_time], services=[SERVICE.full_name])
    servicer = Servicer()
    add_VideoServiceServicer_to_server(servicer, built.server)
    readiness = Readiness(built.health, well)
    process = GrpcProcess("127.0.0.1:0", built.server, built.calls, readiness, drain_seconds=0, grace_seconds=1)
    port = await process.start()
    await until(lambda: readiness.is_ready)
    target = f"127.0.0.1:{port}"
    async with open_channel(target) as channel:
        made = Line(servicer, process, channel, Client(channel, str, target=target), port, spans)
        yield made
        if not made.stopped:
            await process.stop()


@pytest.mark.parametrize("code", [code.name for code in grpc.StatusCode])
async def test_every_code_is_told_by_both_sides_as_the_conventions_ask(line: Line, code: str):
    await line.get(code)
    assert await line.codes() == (code, code)


@pytest.mark.parametrize("code", ["OK", "NOT_FOUND", "UNAVAILABLE", "DATA_LOSS"])
async def test_a_stream_that_ends_or_breaks_is_told_alike(line: Line, code: str):
    await line.read(code)
    assert await line.codes() == (code, code)


@pytest.mark.parametrize("call", [Line.get, Line.read], ids=["unary", "stream"])
async def test_a_crash_is_internal_and_nothing_of_its_text_is_kept(
    line: Line, call: Callable[[Line, str], Awaitable[None]]
):
    await call(line, "crash")
    assert await line.codes() == ("INTERNAL", "INTERNAL")
    assert SECRET not in "".join(span.to_json() for span in line.spans.all())


async def test_spans_name_the_method_and_where_the_call_went(line: Line):
    await line.get("OK")
    client, server = await line.ends()
    name = f"{SERVICE.full_name}/GetSession"
    common = {"rpc.system.name": "grpc", "rpc.method": name, "rpc.response.status_code": "OK"}
    assert (client.name, server.name) == (name, name)
    assert dict(client.attributes or {}) == {**common, "server.address": "127.0.0.1", "server.port": line.port}
    assert dict(server.attributes or {}) == common


async def test_a_call_that_the_caller_gives_up_is_cancelled_on_both_sides(line: Line):
    asking = asyncio.create_task(line.get("never"))
    await until(lambda: line.servicer.calls == 1)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert await line.codes() == ("CANCELLED", "CANCELLED")


async def test_a_stream_that_the_caller_leaves_midway_is_cancelled_on_both_sides(line: Line):
    await line.read("never", most=1)
    assert await line.codes() == ("CANCELLED", "CANCELLED")


async def test_a_stream_that_a_stop_ends_says_so_on_both_sides(line: Line):
    reading = asyncio.create_task(line.read("never"))
    await until(lambda: line.servicer.streams == 1)
    line.stopped = True
    await line.process.stop()
    await reading
    assert await line.codes() == ("UNAVAILABLE", "UNAVAILABLE")


@pytest.mark.parametrize("streams", [False, True], ids=["unary", "stream"])
async def test_a_deadline_that_passes_is_one_on_the_server(line: Line, streams: bool):
    stub: Any = VideoServiceStub(line.channel)
    if streams:
        call = stub.WatchSession(pb.WatchSessionRequest(session_id="never"), timeout=0.5)
    else:
        call = stub.GetSession(pb.GetSessionRequest(session_id="never"), timeout=0.5)
    assert await call.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    await until(lambda: bool(line.spans.all()))
    (server,) = line.spans.all()
    assert code_of(server) == "DEADLINE_EXCEEDED"
    require_error(server, "DEADLINE_EXCEEDED")


async def test_a_method_that_is_not_of_the_contract_is_noted_without_its_name(line: Line):
    call = line.channel.unary_unary(f"/{SERVICE.full_name}/{SECRET.replace(' ', '')}")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(b"")
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
    await until(lambda: bool(line.spans.all()))
    (server,) = line.spans.all()
    assert (server.name, code_of(server)) == ("_OTHER", "UNIMPLEMENTED")
    require_error(server, "UNIMPLEMENTED")


async def test_a_call_outside_of_any_trace_begins_one_on_the_server(line: Line):
    await line.client.unary(GET, pb.GetSessionRequest(session_id="OK"), pb.Session)
    await until(lambda: bool(line.spans.all()))
    (server,) = line.spans.all()
    assert (server.kind, server.parent) == (SpanKind.SERVER, None)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("127.0.0.1:5001", ("127.0.0.1", 5001)),
        ("dns:///appointment.clinic:5001", ("appointment.clinic", 5001)),
        ("dns://8.8.8.8/appointment.clinic:5001", ("appointment.clinic", 5001)),
        ("[::1]:5001", ("::1", 5001)),
        ("ipv6:[::1]:5001", ("::1", 5001)),
        ("ipv4:10.0.0.1:1,10.0.0.2:1", ("10.0.0.1:1,10.0.0.2:1", None)),
        ("unix:///run/telemed.sock", ("/run/telemed.sock", None)),
        ("appointment", ("appointment", None)),
    ],
)
def test_a_target_is_an_address_and_a_port(target: str, expected: tuple[str, int | None]):
    found = server_attributes(target)
    assert (found["server.address"], found.get("server.port")) == expected
