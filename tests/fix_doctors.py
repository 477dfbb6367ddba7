"""Doctors to seed a database with, a feed that tells what a test writes, and the doctor service between the two."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import uuid4

import grpc
import pytest
from telemed.appointment.v1 import appointment_pb2, appointment_service_pb2
from telemed.appointment.v1.appointment_service_pb2_grpc import (
    AppointmentServiceServicer,
    add_AppointmentServiceServicer_to_server,
)
from telemed.doctor.v1.doctor_service_pb2_grpc import DoctorServiceStub

from chassis.context import Role
from chassis.db import Database
from chassis.protos import to_timestamp
from chassis.settings import SharedSettings
from chassis.signals import Signal
from doctor_svc.__main__ import build
from doctor_svc.api.fields import kind_number
from doctor_svc.domain.availability import AvailabilityRule, WallBlock
from doctor_svc.domain.doctor import Doctor, PrivateDetails, Profile
from doctor_svc.domain.visits import Visit
from doctor_svc.settings import DoctorSettings, RuleSettings
from doctor_svc.storage.doctors import import_doctors, import_rules
from kernel.appointment_status import AppointmentStatus
from kernel.appointment_types import AppointmentType
from tests.fix_services import Callers, running, serving, stub

# A Sunday noon in winter; the clocks of New York and Lord Howe change within the horizon of 90 days.
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
WORKING_DAYS = (1, 2, 3, 4, 5)
MORNING = WallBlock(time(9), time(12))
GENERAL = AppointmentType.GENERAL_CONSULTATION
_SIGN_OF_LIFE_SECONDS = 0.2


def a_doctor(*, specialty: str = "Cardiology", zone: str = "UTC", verified: bool = True, **other: Any) -> Doctor:
    """A doctor of that specialty; `other` are fields of Profile or of Doctor."""
    profile = {"first_name": "Ada", "last_name": "Stone", "specialty": specialty, "timezone": zone}
    shown = {"rating": 0.0, "rating_count": 0}
    for name, value in other.items():
        (shown if name in shown else profile)[name] = value
    return Doctor(
        doctor_id=str(uuid4()),
        profile=Profile(**profile),
        is_verified=verified,
        version=1,
        create_time=NOON,
        update_time=NOON,
        **shown,
    )


def a_rule(doctor: Doctor, day: int, morning: WallBlock | None = MORNING, **other: Any) -> AvailabilityRule:
    """Weekly hours from nine to twelve, 30 minutes and 10 between; `other` are fields of the rule."""
    fields = {
        "rule_id": str(uuid4()),
        "doctor_id": doctor.doctor_id,
        "day_of_week": day,
        "specific_date": None,
        "kind": GENERAL,
        "duration": timedelta(minutes=30),
        "buffer": timedelta(minutes=10),
        "capacity": 1,
        "morning": morning,
        "afternoon": None,
    }
    return AvailabilityRule(**(fields | other))


async def seed(database: Database, doctors: Sequence[Doctor], rules: Sequence[AvailabilityRule]) -> None:
    """Adds doctors and their hours."""
    async with database.transaction() as session:
        await import_doctors(session, [(doctor, PrivateDetails()) for doctor in doctors])
        await import_rules(session, rules, NOON)


def a_visit(doctor_id: str, start: datetime, **other: Any) -> Visit:
    """A confirmed general visit of 30 minutes and 10 after it, of somebody; `other` are fields of the visit."""
    end = start + timedelta(minutes=30)
    fields = {
        "appointment_id": str(uuid4()),
        "version": 1,
        "doctor_id": doctor_id,
        "patient_id": str(uuid4()),
        "kind": GENERAL,
        "status": AppointmentStatus.CONFIRMED,
        "start": start,
        "end": end,
        "occupied_until": end + timedelta(minutes=10),
        "seat": 0,
    }
    return Visit(**(fields | other))


def change_of(visit: Visit, traceparent: str = "") -> appointment_pb2.Change:
    """The change that tells of a visit, as the feed sends it; the feed numbers it."""
    return appointment_pb2.Change(
        kind=appointment_pb2.CHANGE_KIND_BOOKED,
        change_time=to_timestamp(NOON),
        version=visit.version,
        seat=visit.seat,
        traceparent=traceparent,
        appointment=appointment_pb2.Appointment(
            id=visit.appointment_id,
            patient_id=visit.patient_id,
            doctor_id=visit.doctor_id,
            status=appointment_pb2.AppointmentStatus.Value(f"APPOINTMENT_STATUS_{visit.status.name}"),
            appointment_type=kind_number(visit.kind),
            start_time=to_timestamp(visit.start),
            end_time=to_timestamp(visit.end),
            buffer_minutes=(visit.occupied_until - visit.end) // timedelta(minutes=1),
            hold_expire_time=to_timestamp(visit.hold_expire_time) if visit.hold_expire_time else None,
            rating=visit.rating or 0,
        ),
    )


@dataclass(slots=True)
class ScriptedFeed(AppointmentServiceServicer):
    """An appointment service of which only the feed is there, and in which nothing happens but what a test writes.

    `asked` are the revisions after which consumers asked to go on, `callers` the tokens that they showed.
    """

    target: str = ""
    changes: list[appointment_pb2.Change] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    callers: list[str] = field(default_factory=list)
    grown: Signal = field(default_factory=Signal)

    def write(self, *changes: appointment_pb2.Change) -> str:
        """Commits changes, numbers them, and tells the revision of the last."""
        for change in changes:
            change.revision = str(len(self.changes) + 1)
            self.changes.append(change)
        self.grown.fire()
        return str(len(self.changes))

    async def WatchChanges(
        self, request: appointment_service_pb2.WatchChangesRequest, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[appointment_service_pb2.WatchChangesResponse]:
        """The changes after a revision, then signs of life between what is written."""
        self.asked.append(request.after_revision)
        self.callers.append(dict(context.invocation_metadata())["authorization"])
        sent = int(request.after_revision or 0)
        while True:
            seen = self.grown.count
            while sent < len(self.changes):
                sent += 1
                yield self._reply(self.changes[sent - 1])
            yield self._reply(None)
            await self.grown.wait(seen, _SIGN_OF_LIFE_SECONDS)

    def _reply(self, change: appointment_pb2.Change | None) -> appointment_service_pb2.WatchChangesResponse:
        return appointment_service_pb2.WatchChangesResponse(change=change, head_revision=str(len(self.changes)))


@pytest.fixture
async def scripted_feed() -> AsyncIterator[ScriptedFeed]:
    feed = ScriptedFeed()
    async with serving(lambda server: add_AppointmentServiceServicer_to_server(feed, server)) as feed.target:
        yield feed


@pytest.fixture
async def doctor_db(doctor_db_url: str) -> AsyncIterator[Database]:
    """A pool on this test's own doctor database."""
    database = Database(doctor_db_url, size=20)
    await database.open()
    yield database
    await database.close()


@dataclass
class DoctorClinic:
    """The doctor service with its database and the feed that it follows; `now` is what its clock shows."""

    database: Database
    url: str
    feed: ScriptedFeed
    callers: Callers
    shared: SharedSettings
    now: datetime = NOON
    rules: RuleSettings = field(default_factory=RuleSettings)
    summary_seconds: float = 0
    service: Any = None

    def as_(self, role: Role, subject: str | None = None) -> list[tuple[str, str]]:
        return self.callers.metadata(role, subject)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator["DoctorClinic"]:
        """The service running."""
        settings = DoctorSettings(
            port=0,
            database_url=self.url,
            appointment_target=self.feed.target,
            drain_seconds=0,
            grace_seconds=1,
            availability_summary_refresh_seconds=self.summary_seconds,
        )
        process = await build(settings, self.rules, self.shared, lambda: self.now)
        async with running(process) as target, stub(DoctorServiceStub, target) as self.service:
            yield self


@pytest.fixture
def doctor_clinic(
    doctor_db: Database, doctor_db_url: str, scripted_feed: ScriptedFeed, callers: Callers, shared: SharedSettings
) -> DoctorClinic:
    """The doctor service, not yet running."""
    return DoctorClinic(doctor_db, doctor_db_url, scripted_feed, callers, shared)


@pytest.fixture
async def doctors(doctor_clinic: DoctorClinic) -> AsyncIterator[DoctorClinic]:
    """The doctor service, running."""
    async with doctor_clinic.opened():
        yield doctor_clinic
