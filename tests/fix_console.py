"""Spans as a stack sends them, and the console that shows them, in the test's own process."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import uvicorn
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from gateway.serve import listener
from stack.console.app import Clinic, Console
from stack.console.store import Store
from tests.fix_services import until

MS = 1_000_000
PROTOBUF = {"content-type": "application/x-protobuf"}


def id_of(number: int, size: int) -> bytes:
    return number.to_bytes(size, "big")


@dataclass
class Telling:
    """Builds export requests; a trace is named by a number, a span within it by another; times are milliseconds."""

    now: int
    request: ExportTraceServiceRequest = field(default_factory=ExportTraceServiceRequest)

    def span(
        self,
        service: str,
        name: str,
        *,
        trace: int = 1,
        span: int = 1,
        parent: int = 0,
        kind: str = "SERVER",
        at: float = 0,
        takes: float = 10,
        error: bool = False,
        linked_to: tuple[int, int] | None = None,
        **attributes: str | int,
    ) -> "Telling":
        resource = self.request.resource_spans.add()
        resource.resource.attributes.add(key="service.name").value.string_value = service
        made = resource.scope_spans.add().spans.add(
            trace_id=id_of(trace, 16),
            span_id=id_of(span, 8),
            parent_span_id=id_of(parent, 8) if parent else b"",
            name=name,
            kind=Span.SpanKind.Value(f"SPAN_KIND_{kind}"),
            start_time_unix_nano=self.now + int(at * MS),
            end_time_unix_nano=self.now + int((at + takes) * MS),
        )
        for key, value in attributes.items():
            held = made.attributes.add(key=key.replace("__", ".")).value
            if isinstance(value, int):
                held.int_value = value
            else:
                held.string_value = value
        if error:
            made.status.code = Status.STATUS_CODE_ERROR
        if linked_to:
            made.links.add(trace_id=id_of(linked_to[0], 16), span_id=id_of(linked_to[1], 8))
        return self

    def booking(self, trace: int = 1, *, at: float = 0, error: bool = False) -> "Telling":
        """A booking on its way through three services and a database, and its copy by a fourth."""
        rpc = "telemed.appointment.v1.AppointmentService/Book"
        match = "telemed.doctor.v1.DoctorService/MatchDoctors"
        text = "SELECT * FROM book(%(patient_id)s::uuid)"
        here: dict[str, Any] = {"trace": trace}
        where = {"db__system__name": "postgresql", "db__namespace": "telemed_appointment"}
        failure = {"error__type": "INTERNAL"} if error else {}
        self.span("gateway", "POST /appointments/book", at=at, takes=40, error=error, **here, **failure)
        self.span("gateway", rpc, span=2, parent=1, kind="CLIENT", at=at + 2, takes=36, error=error, **here)
        self.span("appointment", rpc, span=3, parent=2, at=at + 3, takes=34, error=error, **here, **failure)
        self.span("appointment", match, span=4, parent=3, kind="CLIENT", at=at + 4, takes=12, **here)
        self.span("doctor", match, span=5, parent=4, at=at + 5, takes=10, **here)
        self.span(
            "appointment", "book", span=6, parent=3, kind="CLIENT", at=at + 20, takes=14,
            db__query__summary="book", db__query__text=text, **where, **here,
        )  # fmt: skip
        copy = {"trace": trace + 100_000, "linked_to": (trace, 3), "at": at + 60}
        return self.span("doctor", "apply changes", kind="CONSUMER", takes=5, **copy)  # type: ignore[arg-type]

    @property
    def body(self) -> bytes:
        return self.request.SerializeToString()


async def nothing_known() -> Any:
    return {"url": "", "processes": []}


@dataclass
class ConsoleBench:
    """A console without a stack, and a client of it."""

    store: Store
    console: Console
    http: httpx.AsyncClient

    async def send(self, told: Telling) -> None:
        answer = await self.http.post("/v1/traces", content=told.body, headers=PROTOBUF)
        assert answer.status_code == 200, answer.text

    async def get(self, path: str, **query: str | float) -> Any:
        answer = await self.http.get(f"/ops/api/{path}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def ids(self, **query: str | float) -> list[int]:
        """The numbers of the traces that a search finds."""
        found = await self.get("traces", **query)
        return [int(trace["trace_id"], 16) for trace in found["traces"]]


@asynccontextmanager
async def console_bench(
    store: Store,
    health: Callable[[], Awaitable[Any]] = nothing_known,
    analytics: Callable[[], Awaitable[Any]] = nothing_known,
) -> AsyncIterator[ConsoleBench]:
    console = Console(store, Clinic(health, analytics))
    transport = httpx.ASGITransport(app=console)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:3008") as http:
        yield ConsoleBench(store, console, http)


@pytest.fixture
async def console() -> AsyncIterator[ConsoleBench]:
    """An empty console."""
    async with console_bench(Store()) as bench:
        yield bench


@asynccontextmanager
async def served_console(console: Console) -> AsyncIterator[str]:
    """A console behind a real HTTP server; yields its address."""
    config = uvicorn.Config(console, ws="none", lifespan="off", log_config=None, access_log=False)
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    with listener("127.0.0.1", 0) as listening:
        serving = asyncio.create_task(server.serve([listening]))
        await until(lambda: server.started)
        try:
            yield f"http://localhost:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving


def figures(**known: float) -> Mapping[str, Any]:
    """Booking figures as the appointment service tells them."""
    names = ("bookings", "smart_bookings", "manual_bookings", "confirmed_holds", "continuity_bookings", "holds")
    names += ("average_match_score", "smart_attempts", "smart_success_rate", "manual_attempts", "hold_attempts")
    return {"manual_success_rate": 0.0, "failures": []} | dict.fromkeys(names, 0) | known
