"""What every RPC of every service gets from the chassis: safe errors, deadlines, shedding, identity, true spans."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import grpc
import psycopg
import pytest
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status
from telemed.video.v1 import video_service_pb2 as pb
from telemed.video.v1.video_service_pb2_grpc import (
    VideoServiceServicer,
    VideoServiceStub,
    add_VideoServiceServicer_to_server,
)

from chassis.admission import Admission
from chassis.context import Role, current_caller, remaining_seconds
from chassis.health import Readiness
from chassis.keys import FileKeys
from chassis.layers import Authentication, Shedding, limited_in_time, traced
from chassis.limit import AdaptiveLimit
from chassis.policy import Rule, Scope
from chassis.process import GrpcProcess
from chassis.server import build_server
from chassis.tokens import TokenVerifier
from kernel.errors import InvalidArgument
from tests.fix_services import Callers, running, stub, until
from tests.fix_spans import Spans

SERVICE = "telemed.video.v1.VideoService"
GET = f"{SERVICE}/GetSession"
SECRET = "patient Jane Doe"  # noqa: S105 - what must never leave the process


@dataclass
class Servicer(VideoServiceServicer):
    """Does what the session id says."""

    entered: int = 0

    async def GetSession(self, request: pb.GetSessionRequest, context: Any) -> pb.Session:
        self.entered += 1
        match request.session_id:
            case "crash":
                raise ValueError(SECRET)
            case "sleep":
                await asyncio.sleep(30)
            case "invalid":
                raise InvalidArgument.of("session_id", "must be something else")
            case "database":
                raise psycopg.OperationalError(SECRET)
            case "unique":
                raise psycopg.errors.UniqueViolation(SECRET)
        return pb.Session(session_id=f"{current_caller().role} {remaining_seconds():.0f}")


@dataclass
class Bench:
    servicer: Servicer
    stub: Any
    target: str
    healthy: list[bool]
    callers: Callers

    async def get(self, session_id: str, role: Role = Role.ADMIN, **call: Any) -> pb.Session:
        metadata = self.callers.metadata(role)
        return await self.stub.GetSession(pb.GetSessionRequest(session_id=session_id), metadata=metadata, **call)

    async def code_of(self, session_id: str, **call: Any) -> grpc.aio.AioRpcError:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await self.get(session_id, **call)
        return caught.value


@pytest.fixture
async def bench_server(callers: Callers) -> AsyncIterator[Bench]:
    healthy = [True]

    async def probe() -> None:
        if not healthy[0]:
            raise ConnectionError("the database is away")

    verifier = TokenVerifier(FileKeys(callers.issuer.jwks_file), "telemed-demo", "telemed")
    auth = Authentication(verifier, {GET: Rule(Scope.OWN, Scope.NONE, Scope.ALL, Scope.NONE)})
    built = build_server(
        [traced, Shedding(Admission(AdaptiveLimit(least=3, most=3), 0)), limited_in_time, auth], services=[SERVICE]
    )
    servicer = Servicer()
    add_VideoServiceServicer_to_server(servicer, built.server)
    readiness = Readiness(built.health, probe)
    process = GrpcProcess("127.0.0.1:0", built.server, built.calls, readiness, drain_seconds=0, grace_seconds=1)
    async with AsyncExitStack() as stack:
        target = await stack.enter_async_context(running(process))
        video = await stack.enter_async_context(stub(VideoServiceStub, target))
        yield Bench(servicer, video, target, healthy, callers)


@pytest.mark.parametrize(
    ("session_id", "code"),
    [
        ("crash", grpc.StatusCode.INTERNAL),
        ("unique", grpc.StatusCode.INTERNAL),
        ("database", grpc.StatusCode.UNAVAILABLE),
    ],
)
async def test_the_text_of_an_unexpected_error_never_leaves_the_process(
    bench_server: Bench, spans: Spans, session_id: str, code: grpc.StatusCode
):
    error = await bench_server.code_of(session_id)
    assert error.code() is code
    assert SECRET not in str(error)
    status = rpc_status.from_call(error)
    assert status is not None
    assert SECRET not in str(status)
    assert SECRET not in str([(span.attributes, span.events, span.status.description) for span in spans.all()])


async def test_a_crash_is_an_error_in_its_span_and_a_refusal_is_not(bench_server: Bench, spans: Spans):
    await bench_server.code_of("crash")
    await bench_server.code_of("invalid")
    crash, refusal = spans.named(GET)
    assert (crash.attributes or {})["rpc.response.status_code"] == "INTERNAL"
    assert crash.status.status_code.name == "ERROR"
    assert (refusal.attributes or {})["rpc.response.status_code"] == "INVALID_ARGUMENT"
    assert refusal.status.status_code.name == "UNSET"


async def test_a_refusal_names_its_reason_and_field(bench_server: Bench):
    status = rpc_status.from_call(await bench_server.code_of("invalid"))
    assert status is not None
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    assert status.details[0].Unpack(info)
    assert status.details[1].Unpack(bad)
    assert (info.reason, info.domain) == ("INVALID_ARGUMENT", "telemed")
    assert [violation.field for violation in bad.field_violations] == ["session_id"]


async def test_a_call_without_a_deadline_is_given_one(bench_server: Bench):
    assert (await bench_server.get("")).session_id == "admin 15"


async def test_the_deadline_handed_on_is_a_little_shorter_than_the_callers(bench_server: Bench):
    assert (await bench_server.get("", timeout=5)).session_id == "admin 5"


async def test_a_deadline_that_passes_ends_the_work(bench_server: Bench, spans: Spans):
    error = await bench_server.code_of("sleep", timeout=0.3)
    assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    await until(lambda: bool(spans.named(GET)))
    assert (spans.named(GET)[0].attributes or {})["rpc.response.status_code"] == "DEADLINE_EXCEEDED"


async def test_a_deadline_too_short_to_finish_is_refused_before_any_work(bench_server: Bench):
    error = await bench_server.code_of("", timeout=0.09)
    assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert bench_server.servicer.entered == 0


async def test_calls_over_the_limit_are_shed_at_once_and_health_still_answers(bench_server: Bench):
    busy = [asyncio.create_task(bench_server.get("sleep", timeout=3)) for _ in range(3)]
    await until(lambda: bench_server.servicer.entered == 3)
    error = await bench_server.code_of("")
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert await health_of(bench_server, "") == health_pb2.HealthCheckResponse.SERVING
    for task in busy:
        task.cancel()
    await asyncio.gather(*busy, return_exceptions=True)


async def test_a_role_that_a_method_is_not_open_to_is_denied(bench_server: Bench):
    error = await bench_server.code_of("", role=Role.DOCTOR)
    assert error.code() is grpc.StatusCode.PERMISSION_DENIED


async def test_a_method_that_no_policy_names_is_closed(bench_server: Bench):
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await bench_server.stub.StartSession(
            pb.StartSessionRequest(), metadata=bench_server.callers.metadata(Role.ADMIN)
        )
    assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED


async def health_of(bench_server: Bench, service: str) -> int:
    async with grpc.aio.insecure_channel(bench_server.target) as channel:
        reply = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=service))
        return int(reply.status)


@pytest.mark.parametrize("service", ["", SERVICE])
async def test_health_follows_the_dependency_down_and_up_again(bench_server: Bench, service: str):
    for well, expected in (
        (True, health_pb2.HealthCheckResponse.SERVING),
        (False, health_pb2.HealthCheckResponse.NOT_SERVING),
        (True, health_pb2.HealthCheckResponse.SERVING),
    ):
        bench_server.healthy[0] = well
        async with asyncio.timeout(5):
            while await health_of(bench_server, service) != expected:  # noqa: ASYNC110 - asked as a prober asks
                await asyncio.sleep(0.05)
