"""The appointment and the doctor service together, each with a database of its own, in the test's own process."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from telemed.appointment.v1 import appointment_service_pb2 as appointments_pb
from telemed.appointment.v1.appointment_service_pb2_grpc import AppointmentServiceStub
from telemed.doctor.v1 import doctor_service_pb2 as doctors_pb
from telemed.doctor.v1.doctor_service_pb2_grpc import DoctorServiceStub
from telemed.type.v1 import scheduling_pb2

from appointment_svc.__main__ import build as build_appointments
from appointment_svc.domain.rules import Rules
from appointment_svc.settings import AppointmentSettings
from appointment_svc.storage.imports import ImportedAppointment, import_appointments
from chassis.context import Role
from chassis.db import Database
from chassis.protos import to_timestamp
from doctor_svc.__main__ import build as build_doctors
from doctor_svc.settings import DoctorSettings, RuleSettings
from kernel.revision import token_of
from stack.issuer import Issuer
from tests.fix_doctors import NOON
from tests.fix_ledger import draft
from tests.fix_postgres import Databases
from tests.fix_services import Callers, running, shared_settings, stub
from tests.fix_stack import free_ports

GENERAL = scheduling_pb2.APPOINTMENT_TYPE_GENERAL_CONSULTATION
_ADMIN = str(uuid4())


@dataclass
class Pair:
    """Both services; `now` is what both clocks show. What is put into a database is asked by no rule."""

    callers: Callers
    doctor_db: Database
    appointment_db: Database
    appointments: Any
    doctors: Any
    appointment_target: str = ""
    now: datetime = field(default=NOON)
    revision: str = ""

    def admin(self) -> list[tuple[str, str]]:
        return self.callers.metadata(Role.ADMIN, _ADMIN)

    def as_(self, role: Role, subject: str) -> list[tuple[str, str]]:
        return self.callers.metadata(role, subject)

    async def book(
        self, doctor_id: str, start: datetime, patient_id: str = "", **fields: Any
    ) -> appointments_pb.BookResponse:
        """Books as an administrator, for somebody new unless a patient is named."""
        who = fields.pop("metadata", None) or self.admin()
        wish = {"appointment_type": GENERAL, "patient_id": patient_id or str(uuid4()), "doctor_id": doctor_id} | fields
        request = appointments_pb.BookRequest(appointment_date=to_timestamp(start), **wish)
        reply = await self.appointments.Book(request, metadata=who, timeout=30)
        self.revision = reply.revision
        return reply

    async def claim(self, doctor_id: str, start: datetime, patient_id: str = "", **fields: Any) -> str:
        """Puts a visit of 30 minutes, and 10 after it, into the ledger, and tells its id."""
        capacity, day = fields.pop("capacity", 1), fields.pop("day", start.date())
        drafted = draft(doctor_id=doctor_id, patient_id=patient_id or str(uuid4()), start=start, **fields)
        visit = ImportedAppointment(drafted.appointment, day, capacity)
        await import_appointments(self.appointment_db, [visit], self.now, daily_limit=100)
        self.revision = token_of(drafted.appointment.id, 1)
        return drafted.appointment.id

    async def caught_up(self) -> None:
        """Waits until the doctor service knows of the last visit that this fixture has made."""
        request = doctors_pb.MatchDoctorsRequest(appointment_type=GENERAL, at_least_revision=self.revision)
        await self.doctors.MatchDoctors(request, metadata=self.admin(), timeout=30)


@pytest.fixture(scope="session")
async def both_services(
    databases: Databases, appointment_template: str, doctor_template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Pair]:
    """Started once a worker, with the clinic's usual rules; tests keep apart by doctors and patients of their own."""
    names = (
        await databases.create("pair", template=appointment_template),
        await databases.create("pair", template=doctor_template),
    )
    appointment_url, doctor_url = map(databases.url, names)
    async with AsyncExitStack() as stack:
        for name in names:
            stack.push_async_callback(databases.drop, name)
        appointment_db, doctor_db = Database(appointment_url, size=4), Database(doctor_url, size=4)
        for database in (appointment_db, doctor_db):
            await database.open()
            stack.push_async_callback(database.close)
        callers = Callers(Issuer.of(tmp_path_factory.mktemp("issuer")))
        both = Pair(callers, doctor_db, appointment_db, None, None)
        shared, doctor_port = shared_settings(callers, tmp_path_factory.mktemp("shared")), free_ports(1)
        settings = AppointmentSettings(
            port=0, database_url=appointment_url, doctor_target=f"127.0.0.1:{doctor_port}", drain_seconds=0
        )
        appointments = await build_appointments(settings, Rules(), shared, lambda: both.now)
        both.appointment_target = target = await stack.enter_async_context(running(appointments))
        doctor_settings = DoctorSettings(
            port=doctor_port, database_url=doctor_url, appointment_target=target, drain_seconds=0, grace_seconds=1
        )
        doctors = await build_doctors(doctor_settings, RuleSettings(), shared, lambda: both.now)
        doctor_target = await stack.enter_async_context(running(doctors))
        both.appointments = await stack.enter_async_context(stub(AppointmentServiceStub, target))
        both.doctors = await stack.enter_async_context(stub(DoctorServiceStub, doctor_target))
        yield both


@pytest.fixture
def pair(both_services: Pair) -> Pair:
    """Both services at noon on a Sunday."""
    both_services.now, both_services.revision = NOON, ""
    return both_services
