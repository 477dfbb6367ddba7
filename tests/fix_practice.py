"""The appointment service over gRPC, with a doctor service that says what the test wants."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from telemed.appointment.v1 import appointment_service_pb2 as pb
from telemed.appointment.v1.appointment_service_pb2_grpc import AppointmentServiceStub
from telemed.doctor.v1 import doctor_pb2, doctor_service_pb2
from telemed.doctor.v1.doctor_service_pb2_grpc import DoctorServiceServicer, add_DoctorServiceServicer_to_server
from telemed.type.v1 import scheduling_pb2

from appointment_svc.__main__ import build
from appointment_svc.domain.rules import Rules
from appointment_svc.settings import AppointmentSettings
from chassis.context import Role
from chassis.protos import to_timestamp
from chassis.settings import SharedSettings
from tests.fix_ledger import NOW, TEN
from tests.fix_services import Callers, running, serving, stub

ADMIN = str(uuid4())
GENERAL = scheduling_pb2.APPOINTMENT_TYPE_GENERAL_CONSULTATION
POLICY_VERSION = 7


def offered(start: datetime, minutes: int = 30) -> doctor_pb2.OfferedSlot:
    slot = scheduling_pb2.Slot(
        start_time=to_timestamp(start),
        end_time=to_timestamp(start + timedelta(minutes=minutes)),
        duration_minutes=minutes,
        appointment_type=GENERAL,
        slot_priority=scheduling_pb2.SLOT_PRIORITY_AVAILABLE,
    )
    return doctor_pb2.OfferedSlot(slot=slot, buffer_minutes=10, max_concurrent_appointments=1)


@dataclass
class ScriptedDoctors(DoctorServiceServicer):
    """Answers MatchDoctors with what the test put in; counts the calls."""

    matches: list[doctor_pb2.DoctorMatch] = field(default_factory=list)
    calls: int = 0

    async def MatchDoctors(self, request: Any, context: Any) -> doctor_service_pb2.MatchDoctorsResponse:
        self.calls += 1
        return doctor_service_pb2.MatchDoctorsResponse(matches=self.matches, policy_version=POLICY_VERSION)

    def offer(self, **fields: Any) -> doctor_pb2.DoctorMatch:
        match = doctor_pb2.DoctorMatch(
            doctor_id=str(uuid4()), doctor_first_name="Ada", doctor_last_name="Stone", specialty="Cardiology",
            timezone="UTC", match_score=0.5, match_reasons=["Specializes in cardiology"], **fields,
        )  # fmt: skip
        self.matches.append(match)
        return match


@dataclass
class Practice:
    """A running appointment service whose clock stands still at `now` until a test moves it."""

    doctors: ScriptedDoctors
    appointments: Any
    callers: Callers
    now: list[datetime]
    target: str = ""

    async def book(self, match: doctor_pb2.DoctorMatch, start: datetime = TEN, **fields: Any) -> pb.BookResponse:
        wish = {"patient_id": str(uuid4()), "doctor_id": match.doctor_id, "appointment_type": GENERAL} | fields
        request = pb.BookRequest(appointment_date=to_timestamp(start), **wish)
        return await self.appointments.Book(request, metadata=self.callers.metadata(Role.ADMIN, ADMIN))

    async def hold(self, match: doctor_pb2.DoctorMatch, start: datetime = TEN, **fields: Any) -> pb.HoldSlotResponse:
        wish = {"patient_id": str(uuid4()), "doctor_id": match.doctor_id, "appointment_type": GENERAL} | fields
        request = pb.HoldSlotRequest(appointment_date=to_timestamp(start), **wish)
        return await self.appointments.HoldSlot(request, metadata=self.callers.metadata(Role.ADMIN, ADMIN))

    async def confirm(self, appointment_id: str, **fields: Any) -> pb.ConfirmHoldResponse:
        request = pb.ConfirmHoldRequest(id=appointment_id, **fields)
        return await self.appointments.ConfirmHold(request, metadata=self.callers.metadata(Role.ADMIN, ADMIN))

    async def smart_book(self, **fields: Any) -> pb.SmartBookResponse:
        wish = {"patient_id": str(uuid4()), "appointment_type": GENERAL} | fields
        return await self.appointments.SmartBook(
            pb.SmartBookRequest(**wish), metadata=self.callers.metadata(Role.ADMIN, ADMIN)
        )


@pytest.fixture
async def practice(appointment_db_url: str, shared: SharedSettings, callers: Callers) -> AsyncIterator[Practice]:
    async with open_practice(appointment_db_url, shared, callers) as opened:
        yield opened


@asynccontextmanager
async def open_practice(
    database_url: str,
    shared: SharedSettings,
    callers: Callers,
    doctors: ScriptedDoctors | None = None,
    **more: Any,
) -> AsyncIterator[Practice]:
    """A practice on a database; `more` are settings of the appointment service."""
    doctors = doctors or ScriptedDoctors()
    async with serving(lambda server: add_DoctorServiceServicer_to_server(doctors, server)) as doctor_target:
        settings = AppointmentSettings(
            port=0, database_url=database_url, doctor_target=doctor_target, drain_seconds=0, clock_seconds=3600, **more
        )
        now = [NOW]
        process = await build(settings, Rules(), shared, lambda: now[0])
        async with running(process) as target, stub(AppointmentServiceStub, target) as appointments:
            yield Practice(doctors, appointments, callers, now, target)
