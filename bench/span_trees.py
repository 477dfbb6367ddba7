"""Whether every request is one connected tree of spans: good ones, refused, broken off, cancelled, and streams.

`python -m bench.span_trees [--requests 10000]`: a whole stack with its traces sent here; some minutes.
"""

import argparse
import asyncio
import os
import random
import secrets
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import grpc
import httpx
import uvicorn
import uvloop
from telemed.doctor.v1 import doctor_service_pb2 as pb
from telemed.doctor.v1.doctor_service_pb2_grpc import DoctorServiceStub

from bench import doctors
from bench.clinic import open_clinic
from chassis.protos import from_date
from stack.console.app import Clinic as NoClinic
from stack.console.app import Console
from stack.console.store import Store
from stack.plan import GATEWAY, HOST

CLIENTS = 16
DOCTORS = 20
MOST_SPANS = 1_000_000
_SEED = 20261128
_PATIENCE_SECONDS = 60.0
_GIVE_UP_SECONDS = (0.0, 0.002, 0.01, 0.03)
# Of a hundred requests, so many of each kind.
_MIX = {
    "availability": 22,
    "search": 10,
    "list": 8,
    "book": 14,
    "smart book": 8,
    "not found": 5,
    "bad json": 5,
    "no token": 4,
    "no route": 3,
    "stream": 4,
    "given up": 6,
    "gRPC": 4,
    "gRPC cancelled": 3,
    "gRPC deadline": 2,
    "gRPC unknown method": 2,
}
# Those that may be over before a process has heard of them; they then leave no trace, as they should.
_UNHEARD = "no span has come"
_LOST = "connection lost"
_MAY_BE_UNHEARD = frozenset({"given up", "gRPC cancelled", "gRPC deadline"})


@dataclass(slots=True)
class Report:
    """What became of the requests; `faults` are the kinds and ids of those that are not one tree, each with why."""

    sent: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    unheard: int = 0
    spans: int = 0
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Mixed:
    """Makes requests of all kinds, each in a trace of its own that begins here."""

    http: httpx.AsyncClient
    stub: Any
    channel: grpc.aio.Channel
    token: str
    first: date
    chance: random.Random

    async def send(self, kind: str, traceparent: str) -> str:
        """Sends one request and tells how it ended."""
        send: Callable[[Mapping[str, str]], Awaitable[str]]
        if kind.startswith("gRPC"):
            return await self._call(kind, traceparent)
        headers = {"authorization": f"Bearer {self.token}", "traceparent": traceparent}
        if kind == "no token":
            del headers["authorization"]
        send = {"stream": self._stream, "given up": self._give_up}.get(kind, lambda h: self._ask(kind, h))
        try:
            return await send(headers)
        except httpx.TransportError:
            return _LOST  # a connection that the gateway closed, having been idle, just when it was used again

    async def _ask(self, kind: str, headers: Mapping[str, str]) -> str:
        verb, path, body = self._wish(kind)
        content = {"content": b'{"patient_id": 1, "patient_id": 2}'} if kind == "bad json" else {"json": body}
        extra = {"content-type": "application/json"} if kind == "bad json" else {}
        asked = self.http.request(verb, path, headers={**headers, **extra}, **(content if verb == "POST" else {}))
        return str((await asked).status_code)

    def _wish(self, kind: str) -> tuple[str, str, object]:
        doctor, day = (
            doctors.doctor_id(self.chance.randrange(DOCTORS)),
            self.first + timedelta(self.chance.randrange(20)),
        )
        patient = str(uuid4())
        match kind:
            case "search":
                return "GET", "/doctors/search?query=a&page_size=5", None
            case "list":
                return "GET", f"/appointments?patient_id={patient}", None
            case "not found":
                return "GET", f"/appointments/{patient}", None
            case "no route":
                return "GET", f"/nothing/{patient}", None
            case "book" | "bad json" | "no token":
                # Few enough times that some are taken already, and some outside of hours.
                start = f"{day.isoformat()}T{self.chance.randrange(8, 13):02}:00:00Z"
                wish = {"patient_id": patient, "doctor_id": doctor, "appointment_date": start, "timezone": "UTC"}
                return (
                    "POST",
                    "/appointments/book",
                    {**wish, "appointment_type": "GeneralConsultation", "duration_minutes": 15},
                )
            case "smart book":
                wish = {"patient_id": patient, "preferred_date": day.isoformat(), "timezone": "UTC"}
                return "POST", "/appointments/smart-book", {**wish, "appointment_type": "GeneralConsultation"}
            case _:
                return "GET", f"/doctors/{doctor}/availability?date={day.isoformat()}", None

    async def _stream(self, headers: Mapping[str, str]) -> str:
        async with self.http.stream("GET", "/appointments/changes", headers=headers) as answer:
            async for _ in answer.aiter_raw():
                break
        return "left"

    async def _give_up(self, headers: Mapping[str, str]) -> str:
        asking = asyncio.create_task(self._ask(self.chance.choice(["availability", "book", "smart book"]), headers))
        await asyncio.sleep(self.chance.choice(_GIVE_UP_SECONDS))
        asking.cancel()
        done = await asyncio.gather(asking, return_exceptions=True)
        return "given up" if isinstance(done[0], BaseException) else "answered"

    async def _call(self, kind: str, traceparent: str) -> str:
        metadata = (("authorization", f"Bearer {self.token}"), ("traceparent", traceparent))
        if kind == "gRPC unknown method":
            unknown: Any = self.channel.unary_unary("/telemed.doctor.v1.DoctorService/Nothing")
            call = unknown(b"", metadata=metadata)
        else:
            timeout = self.chance.choice([0.001, 0.05, 0.13]) if kind == "gRPC deadline" else 10.0
            wish = pb.GetAvailabilityRequest(doctor_id=doctors.doctor_id(0), date=from_date(self.first))
            call = self.stub.GetAvailability(wish, metadata=metadata, timeout=timeout)
        if kind == "gRPC cancelled":
            await asyncio.sleep(self.chance.choice(_GIVE_UP_SECONDS))
            call.cancel()
        with suppress(asyncio.CancelledError):
            return str((await call.code()).name)
        return "CANCELLED"


@asynccontextmanager
async def receiving(port: int = 0) -> AsyncIterator[tuple[Store, str]]:
    """A store that takes spans by OTLP/HTTP, and the address to send them to."""

    async def nothing() -> None:
        """Nobody asks after a stack here."""

    store = Store(MOST_SPANS)
    listening = socket.create_server((HOST, port))
    config = uvicorn.Config(
        Console(store, NoClinic(nothing, nothing)), ws="none", lifespan="off", log_config=None, access_log=False
    )
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]  # the process has its own
    serving = asyncio.create_task(server.serve([listening]))
    try:
        yield store, f"http://{HOST}:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving


async def send_mixed(
    store: Store, gateway_url: str, doctor_target: str, *, token: str, requests: int, first: date
) -> Report:
    """Sends so many requests of all kinds and looks at the tree of each once its spans have come."""
    report, chance = Report(), random.Random(_SEED)  # noqa: S311  no secret
    kinds = chance.choices(list(_MIX), weights=list(_MIX.values()), k=requests)
    sent: dict[str, tuple[str, str]] = {}
    lost: set[str] = set()
    # Idle connections are let go before the gateway does.
    limits = httpx.Limits(max_connections=CLIENTS, max_keepalive_connections=CLIENTS, keepalive_expiry=2.0)
    async with (
        httpx.AsyncClient(base_url=gateway_url, timeout=30, limits=limits) as http,
        grpc.aio.insecure_channel(doctor_target) as channel,
    ):
        mixed = Mixed(http, DoctorServiceStub(channel), channel, token, first, chance)
        waiting = iter(kinds)

        async def client() -> None:
            for kind in waiting:
                trace_id, span_id = secrets.token_hex(16), secrets.token_hex(8)
                sent[trace_id] = kind, span_id
                end = await mixed.send(kind, f"00-{trace_id}-{span_id}-01")
                if end == _LOST:
                    lost.add(trace_id)
                report.sent[kind] += 1
                report.answers[f"{kind}: {end}"] += 1

        await asyncio.gather(*(client() for _ in range(CLIENTS)))
    optional = lost | {trace_id for trace_id, (kind, _) in sent.items() if kind in _MAY_BE_UNHEARD}
    await _until_whole(store, sent, optional)
    for trace_id, (kind, span_id) in sent.items():
        fault = _fault(store, trace_id, span_id)
        if fault == _UNHEARD and trace_id in optional:
            report.unheard += 1
        elif fault:
            report.faults.append(f"{kind} {trace_id}: {fault}")
    report.spans = sum(len(trace.spans) for trace_id in sent if (trace := store.trace(trace_id)))
    return report


async def _until_whole(store: Store, sent: Mapping[str, tuple[str, str]], optional: set[str]) -> None:
    """Waits until all are whole; in vain when one is not, which the report then says."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        faults = {trace_id: _fault(store, trace_id, span_id) for trace_id, (_, span_id) in sent.items()}
        if not any(fault and (fault != _UNHEARD or trace_id not in optional) for trace_id, fault in faults.items()):
            return
        await asyncio.sleep(0.5)


def _fault(store: Store, trace_id: str, span_id: str) -> str:
    """Why a trace is not one tree below the request that began it; empty when it is."""
    trace = store.trace(trace_id)
    if trace is None:
        return _UNHEARD
    if len({span.span_id for span in trace.spans}) < len(trace.spans) or trace.dropped:
        return "a span came twice, or too many did"
    roots = trace.roots
    if [root.parent_id for root in roots] != [span_id]:
        return f"{len(roots)} roots: {[f'{root.service} {root.kind} {root.name}' for root in roots]}"
    return "" if len(trace.in_order()) == len(trace.spans) else "its spans go round in a circle"


async def main(requests: int) -> None:
    """Runs, prints, and exits with 1 when a request was not one tree."""
    async with AsyncExitStack() as stack:
        store, address = await stack.enter_async_context(receiving())
        os.environ |= {"OTEL_EXPORTER_OTLP_ENDPOINT": address, "GATEWAY_CONTINUE_TRACES": "true"}
        clinic = await stack.enter_async_context(open_clinic())
        await doctors.add_doctors(clinic.urls["doctor"])
        await stack.enter_async_context(clinic.running(["appointment", "doctor", "video", GATEWAY]))
        url = f"http://{clinic.target(GATEWAY)}"
        began = time.monotonic()
        report = await send_mixed(
            store, url, clinic.target("doctor"), token=clinic.token(), requests=requests, first=doctors.first_day()
        )
        print(f"bench.span_trees: {requests:,} requests, {report.spans:,} spans, {time.monotonic() - began:.0f} s\n")
    for answer, count in sorted(report.answers.items()):
        print(f"  {answer:<40}{count:>8,}")
    print(f"\n  over before anybody heard of them: {report.unheard:,}")
    print(f"  not one connected tree: {len(report.faults):,}")
    for fault in report.faults[:20]:
        print(f"    {fault}")
    raise SystemExit(bool(report.faults))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000, help="how many (default: %(default)s)")
    uvloop.run(main(parser.parse_args().requests))
