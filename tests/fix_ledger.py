"""The appointment ledger on a clone of its database, and orders to try on it."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from appointment_svc.app.ports import Draft, Method, Order, RequestKey
from appointment_svc.domain.appointment import Appointment
from appointment_svc.domain.offers import Candidate, Offer
from appointment_svc.storage.appointments import PostgresAppointments
from appointment_svc.storage.diaries import PostgresDiaries
from appointment_svc.storage.feed import PostgresFeed, Sequencer
from appointment_svc.storage.holds import PostgresHolds
from appointment_svc.storage.ledger import PostgresLedger
from appointment_svc.storage.live_feed import LiveFeed
from chassis.context import Caller, Role
from chassis.db import Database
from chassis.signals import Signal
from kernel.appointment_status import AppointmentStatus
from kernel.appointment_types import AppointmentType
from kernel.slots import Slot, SlotPriority

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TEN = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)
STAFF = Caller(subject=str(uuid4()), role=Role.ADMIN, token="")


@dataclass(frozen=True)
class LedgerBench:
    """Everything of the appointment service's storage, over one database."""

    database: Database
    now: list[datetime]
    holds: PostgresHolds
    ledger: PostgresLedger
    appointments: PostgresAppointments
    feed: PostgresFeed
    sequencer: Sequencer
    diaries: PostgresDiaries
    live_feed: LiveFeed


@pytest.fixture
async def bench(appointment_db_url: str) -> AsyncIterator[LedgerBench]:
    database = Database(appointment_db_url, size=20)
    await database.open()
    committed, grown, now = Signal(), Signal(), [NOW]
    feed = PostgresFeed(database)
    holds = PostgresHolds(database, committed, lambda: now[0])
    yield LedgerBench(
        database,
        now,
        holds,
        PostgresLedger(database, committed, holds),
        PostgresAppointments(database, committed, holds),
        feed,
        Sequencer(database, committed, grown),
        PostgresDiaries(database),
        LiveFeed(feed, grown),
    )
    await database.close()


def draft(
    *,
    doctor_id: str,
    patient_id: str,
    start: datetime = TEN,
    minutes: int = 30,
    buffer: int = 10,
    capacity: int = 1,
    kind: AppointmentType = AppointmentType.GENERAL_CONSULTATION,
    day: date | None = None,
    answer: bytes = b"answer",
    doctor_limit: int = 0,
    held_until: datetime | None = None,
    requires_approval: bool = False,
) -> Draft:
    """One visit that might be booked, or held."""
    end = start + timedelta(minutes=minutes)
    slot = Slot(start, end, kind, SlotPriority.AVAILABLE, timedelta(minutes=buffer), capacity)
    offer = Offer(
        doctor_id, "Ada", "Stone", ZoneInfo("UTC"), 0.5, (), False, (slot,), (), slot,
        max_daily_appointments=doctor_limit,
    )  # fmt: skip
    appointment = Appointment(
        id=str(uuid4()),
        patient_id=patient_id,
        doctor_id=doctor_id,
        status=AppointmentStatus.HELD if held_until else AppointmentStatus.CONFIRMED,
        kind=kind,
        start=start,
        end=end,
        buffer=slot.buffer,
        seat=0,
        timezone="UTC",
        specialty_required="",
        patient_notes="",
        match_score=0.5,
        is_preferred_doctor=False,
        cancel_reason="",
        version=1,
        create_time=NOW,
        update_time=NOW,
        hold_expire_time=held_until,
        requires_approval=requires_approval,
    )
    return Draft(Candidate(offer, slot), appointment, day or start.date(), answer)


def order(drafts: Sequence[Draft], *, key: RequestKey | None = None, limit: int = 3, now: datetime = NOW) -> Order:
    """An order of an administrator."""
    return Order(STAFF, Method.MANUAL, key, limit, now, drafts)
