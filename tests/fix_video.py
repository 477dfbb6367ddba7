"""The real video service on a real port, and a change feed that says what a test wants."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import psycopg
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from telemed.appointment.v1 import appointment_pb2
from telemed.appointment.v1 import appointment_service_pb2 as feed_pb
from telemed.appointment.v1.appointment_service_pb2_grpc import (
    AppointmentServiceServicer,
    add_AppointmentServiceServicer_to_server,
)
from telemed.video.v1 import video_service_pb2 as pb
from telemed.video.v1.video_service_pb2_grpc import VideoServiceStub

from chassis.context import Role
from chassis.protos import to_timestamp
from chassis.settings import SharedSettings
from chassis.signals import Signal
from tests.domain.video.video_builders import START
from tests.fix_services import Callers, running, serving
from video_svc.__main__ import build
from video_svc.settings import VideoSettings

AS_PATIENT, AS_DOCTOR = pb.PARTICIPANT_TYPE_PATIENT, pb.PARTICIPANT_TYPE_DOCTOR


@dataclass
class ScriptedFeed(AppointmentServiceServicer):
    """Streams what was told so far, then what is told next; `resumed_after` notes where each reader began."""

    told: list[feed_pb.WatchChangesResponse] = field(default_factory=list)
    resumed_after: list[str] = field(default_factory=list)
    readers: list[list[tuple[str, str]]] = field(default_factory=list)
    grown: Signal = field(default_factory=Signal)
    breaks: int = 0
    heard: list[tuple[str, Any]] = field(default_factory=list)
    tellers: list[str] = field(default_factory=list)
    refusing: dict[str, grpc.StatusCode] = field(default_factory=dict)

    async def WatchChanges(self, request: Any, context: Any) -> AsyncIterator[feed_pb.WatchChangesResponse]:
        self.resumed_after.append(request.after_revision)
        self.readers.append(list(context.invocation_metadata()))
        sent, breaks = int(request.after_revision or 0), self.breaks
        # As the real feed does, first of all its length.
        yield feed_pb.WatchChangesResponse(head_revision=str(len(self.told)))
        while breaks == self.breaks:
            seen = self.grown.count
            for message in self.told[sent:]:
                yield message
                sent += 1
            await self.grown.wait(seen, 60)
        await context.abort(grpc.StatusCode.UNAVAILABLE, "the feed breaks as the test wants")

    async def RecordArrival(self, request: Any, context: Any) -> feed_pb.RecordArrivalResponse:
        await self._hear("RecordArrival", request, context)
        return feed_pb.RecordArrivalResponse()

    async def StartAppointment(self, request: Any, context: Any) -> feed_pb.StartAppointmentResponse:
        await self._hear("StartAppointment", request, context)
        return feed_pb.StartAppointmentResponse()

    async def CompleteAppointment(self, request: Any, context: Any) -> feed_pb.CompleteAppointmentResponse:
        await self._hear("CompleteAppointment", request, context)
        return feed_pb.CompleteAppointmentResponse()

    async def _hear(self, rpc: str, request: Any, context: Any) -> None:
        self.heard.append((rpc, request))
        self.tellers.append(dict(context.invocation_metadata())["authorization"])
        refused = self.refusing.get(rpc)
        if refused is not None:
            await context.abort(refused, "the appointment refuses as the test wants")

    def tell(self, visit: "Booked", status: str = "CONFIRMED", version: int = 1) -> None:
        """Appends a change; each has the next revision."""
        revision = str(len(self.told) + 1)
        appointment = appointment_pb2.Appointment(
            id=visit.appointment_id,
            patient_id=visit.patient_id,
            doctor_id=visit.doctor_id,
            status=appointment_pb2.AppointmentStatus.Value(f"APPOINTMENT_STATUS_{status}"),
            start_time=to_timestamp(visit.start),
            end_time=to_timestamp(visit.start + timedelta(minutes=30)),
        )
        change = appointment_pb2.Change(revision=revision, appointment=appointment, version=version)
        self.told.append(feed_pb.WatchChangesResponse(change=change, head_revision=revision))
        self.grown.fire()

    def break_off(self) -> None:
        """Ends every stream as a dying process does."""
        self.breaks += 1
        self.grown.fire()


@dataclass(frozen=True)
class Booked:
    """One appointment of two people whom nobody else has."""

    appointment_id: str = field(default_factory=lambda: str(uuid4()))
    patient_id: str = field(default_factory=lambda: str(uuid4()))
    doctor_id: str = field(default_factory=lambda: str(uuid4()))
    start: datetime = START


@dataclass
class Clock:
    """Shows what the test set it to."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Visits:
    """Calls of the video service on behalf of anybody."""

    channel: grpc.aio.Channel
    callers: Callers
    feed: ScriptedFeed
    clock: Clock
    target: str = ""

    @property
    def stub(self) -> Any:
        """The generated stub."""
        return VideoServiceStub(self.channel)

    async def start(self, appointment_id: str, side: int, role: Role, subject: str) -> pb.StartSessionResponse:
        request = pb.StartSessionRequest(appointment_id=appointment_id, participant_type=side)
        return await self.stub.StartSession(request, metadata=self.callers.metadata(role, subject), timeout=10)

    async def start_as_patient(self, visit: Booked) -> pb.StartSessionResponse:
        return await self.start(visit.appointment_id, AS_PATIENT, Role.PATIENT, visit.patient_id)

    async def start_as_doctor(self, visit: Booked) -> pb.StartSessionResponse:
        return await self.start(visit.appointment_id, AS_DOCTOR, Role.DOCTOR, visit.doctor_id)

    async def get(self, session_id: str, role: Role = Role.ADMIN, subject: str | None = None) -> pb.Session:
        request = pb.GetSessionRequest(session_id=session_id)
        return await self.stub.GetSession(request, metadata=self.callers.metadata(role, subject), timeout=10)

    async def until(self, session_id: str, holds: Callable[[pb.Session], bool]) -> pb.Session:
        """The session once something holds of it, within 5 seconds."""
        async with asyncio.timeout(5):
            while not holds(session := await self.get(session_id)):  # noqa: ASYNC110 - the service tells no event
                await asyncio.sleep(0.02)
        return session


@dataclass(frozen=True)
class House:
    """Starts video services on one database, as often as a test wants."""

    database_url: str
    feed: ScriptedFeed
    feed_target: str
    shared: SharedSettings
    callers: Callers
    key_file: Path

    @asynccontextmanager
    async def service(self, **settings: Any) -> AsyncIterator[Visits]:
        """A running service; it stops with the block."""
        clock = Clock()
        usual = {
            "port": 0,
            "database_url": self.database_url,
            "appointment_target": self.feed_target,
            "join_key_file": self.key_file,
            "public_url": "https://clinic.example",
            "drain_seconds": 0,
            "grace_seconds": 1,
        }
        process = await build(VideoSettings(**(usual | settings)), self.shared, clock)
        async with running(process) as target, grpc.aio.insecure_channel(target) as channel:
            yield Visits(channel, self.callers, self.feed, clock, target)

    async def copied(self, count: int) -> None:
        """Waits, at most 20 seconds, until the services have heard of so many visits."""
        async with asyncio.timeout(20), await psycopg.AsyncConnection.connect(self.database_url) as connection:
            while (await (await connection.execute("SELECT count(*) FROM session")).fetchone()) != (count,):  # noqa: ASYNC110 - another process sets no event
                await asyncio.sleep(0.02)


@pytest.fixture
async def video_house(
    video_db_url: str, shared: SharedSettings, callers: Callers, tmp_path: Path
) -> AsyncIterator[House]:
    feed = ScriptedFeed()
    async with serving(lambda server: add_AppointmentServiceServicer_to_server(feed, server)) as feed_target:
        yield House(video_db_url, feed, feed_target, shared, callers, tmp_path / "join.pem")


@pytest.fixture
async def visits(video_house: House) -> AsyncIterator[Visits]:
    """A video service of default settings."""
    async with video_house.service() as visits:
        yield visits


def info_of(error: grpc.aio.AioRpcError) -> error_details_pb2.ErrorInfo:
    """The reason of an error with its metadata."""
    status, info = rpc_status.from_call(error), error_details_pb2.ErrorInfo()
    assert status is not None, f"{error.code()} without details"
    assert any(packed.Unpack(info) for packed in status.details), f"no ErrorInfo in {status}"
    return info
