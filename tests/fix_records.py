"""The appointment service over gRPC for what is told of appointments, with a ledger beside it to make them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from telemed.appointment.v1.appointment_service_pb2_grpc import AppointmentServiceStub

from appointment_svc.__main__ import build
from appointment_svc.domain.appointment import Appointment
from appointment_svc.domain.rules import Rules
from appointment_svc.domain.timeouts import timeouts
from appointment_svc.settings import AppointmentSettings
from chassis.context import Role
from chassis.settings import SharedSettings
from tests.fix_ledger import NOW, TEN, LedgerBench, draft, order
from tests.fix_services import Callers, running, stub

NOBODY = "127.0.0.1:1"  # no doctor service: nothing here may ask it


@dataclass
class Records:
    """A running appointment service whose clock stands at `now`, and the ledger under it."""

    service: Any
    callers: Callers
    ledger: LedgerBench
    url: str
    target: str
    now: list[datetime]

    async def booked(self, *, patient_id: str = "", doctor_id: str = "", start: datetime = TEN) -> Appointment:
        """A confirmed visit, booked by an administrator."""
        one = draft(doctor_id=doctor_id or str(uuid4()), patient_id=patient_id or str(uuid4()), start=start)
        verdict = await self.ledger.ledger.book(order([one]))
        assert verdict.outcome == "BOOKED"
        return one.appointment

    async def call(self, rpc: str, request: Any, role: Role = Role.ADMIN, subject: str | None = None) -> Any:
        return await getattr(self.service, rpc)(request, metadata=self.callers.metadata(role, subject), timeout=20)


@pytest.fixture
async def records(
    bench: LedgerBench, appointment_db_url: str, shared: SharedSettings, callers: Callers
) -> AsyncIterator[Records]:
    settings = AppointmentSettings(port=0, database_url=appointment_db_url, doctor_target=NOBODY, drain_seconds=0)
    now = [NOW]
    process = await build(settings, Rules(), shared, lambda: now[0])
    # Without its clocks: what a test stores of the past stays as it was stored.
    clocks = {timeout.name for timeout in timeouts(Rules())}
    process = replace(process, work=[(name, work) for name, work in process.work if name not in clocks])
    async with running(process) as target, stub(AppointmentServiceStub, target) as service:
        yield Records(service, callers, bench, appointment_db_url, target, now)
