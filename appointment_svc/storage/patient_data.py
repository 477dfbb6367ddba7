"""All that this service keeps of one patient: read record after record, and what people wrote forgotten."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from appointment_svc.app.ports import Appointments, ListFilter, PagePosition
from appointment_svc.storage.history import event_of
from chassis.context import Caller, Role
from chassis.db import Database, Session
from chassis.ids import parse_uuid
from chassis.sql import Queries
from kernel.patient_refusals import PatientHasAppointments

_QUERIES = Queries(Path(__file__).with_name("patient_data.sql"))
_BEFORE_ALL = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class Claim:
    """Time of the patient that an appointment keeps."""

    appointment_id: str
    start: datetime
    end: datetime
    day: date


@dataclass(frozen=True, slots=True)
class PatientRecords:
    """The sections of an export (chassis.export_patient_data.Section)."""

    database: Database
    stored: Appointments

    async def appointments(self, _: Caller, patient_id: str, after: str, limit: int) -> Sequence[tuple[str, Any]]:
        """Appointments, the latest start first."""
        position = None
        if after:
            start, _between, appointment_id = after.partition(" ")
            position = PagePosition(datetime.fromisoformat(start), parse_uuid(appointment_id, "page_token"))
        found = await self.stored.page(ListFilter(patient_id=patient_id), position, limit)
        return [(f"{one.start.isoformat()} {one.id}", one) for one in found]

    async def claims(self, _: Caller, patient_id: str, after: str, limit: int) -> Sequence[tuple[str, Any]]:
        """Time that is kept, by appointment."""
        position = parse_uuid(after, "page_token") if after else _BEFORE_ALL
        rows = await self.database.all(
            _QUERIES["claims_of_patient"], {"patient_id": patient_id, "after": position, "limit": limit}
        )
        return [
            (
                row["appointment_id"],
                Claim(
                    row["appointment_id"],
                    row["start_time"].astimezone(UTC),
                    row["end_time"].astimezone(UTC),
                    row["day"],
                ),
            )
            for row in rows
        ]

    async def events(self, caller: Caller, patient_id: str, after: str, limit: int) -> Sequence[tuple[str, Any]]:
        """The history of the patient's appointments, as the caller may be told it."""
        page = {"patient_id": patient_id, "after": int(after or 0), "limit": limit}
        rows = await self.database.all(_QUERIES["events_of_patient"], page)
        events = [event_of(row) for row in rows]
        if caller.role is Role.PATIENT:
            events = [event.as_told_to_patient() for event in events]
        return [(str(event.number), event) for event in events]


async def forget_words(session: Session, patient_id: str) -> None:
    """Forgets what people wrote about a patient. Raises PatientHasAppointments."""
    key = {"patient_id": patient_id}
    unfinished = await session.all(_QUERIES["unfinished_appointments"], key)
    if unfinished:
        raise PatientHasAppointments.of([row["appointment_id"] for row in unfinished])
    for query in ("forget_words_of_appointments", "forget_words_of_events", "forget_answers"):
        await session.execute(_QUERIES[query], key)
