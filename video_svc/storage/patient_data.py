"""All that this service keeps of one patient: sessions and what was measured; what browsers sent can be forgotten."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from chassis.context import Caller
from chassis.db import Database
from chassis.db import Session as Connection
from chassis.ids import parse_uuid
from chassis.sql import Queries
from kernel.patient_refusals import PatientHasAppointments
from video_svc.app.ports import Sessions, SessionsQuestion
from video_svc.domain.quality import Sample

_QUERIES = Queries(Path(__file__).with_name("patient_data.sql"))
_COLUMNS = tuple(field.name for field in fields(Sample))
_BEFORE_ALL = "00000000-0000-0000-0000-000000000000 0 0"
_FORGETTING = ("forget_signals", "forget_media_answers", "forget_tickets", "forget_samples", "forget_devices")


@dataclass(frozen=True, slots=True)
class PatientSample:
    """What the patient's browser measured in an attempt of a session."""

    session_id: str
    attempt: int
    sample: Sample


@dataclass(frozen=True, slots=True)
class PatientRecords:
    """The sections of an export (chassis.export_patient_data.Section)."""

    database: Database
    stored: Sessions

    async def sessions(self, _: Caller, patient_id: str, after: str, limit: int) -> Sequence[tuple[str, Any]]:
        """Sessions by start."""
        position = None
        if after:
            start, _between, session_id = after.partition(" ")
            position = datetime.fromisoformat(start), parse_uuid(session_id, "page_token")
        found = await self.stored.list(SessionsQuestion(patient_id, None, None, None, None, position, limit))
        return [(f"{one.visit.start.isoformat()} {one.session_id}", one) for one in found]

    async def samples(self, _: Caller, patient_id: str, after: str, limit: int) -> Sequence[tuple[str, Any]]:
        """Measurements of the patient's own browser."""
        session_id, attempt, number = (after or _BEFORE_ALL).split(" ")
        position = {"session_id": parse_uuid(session_id, "page_token"), "attempt": int(attempt), "number": int(number)}
        rows = await self.database.all(
            _QUERIES["samples_of_patient"], {"patient_id": patient_id, "limit": limit, **position}
        )
        return [
            (
                f"{row['session_id']} {row['attempt']} {row['number']}",
                PatientSample(row["session_id"], row["attempt"], Sample(**{name: row[name] for name in _COLUMNS})),
            )
            for row in rows
        ]


async def forget_words(transaction: Connection, patient_id: str) -> None:
    """Forgets what a patient's browser sent. Raises PatientHasAppointments during a visit."""
    key = {"patient_id": patient_id}
    under_way = await transaction.all(_QUERIES["sessions_under_way"], key)
    if under_way:
        raise PatientHasAppointments.of([row["appointment_id"] for row in under_way])
    for query in _FORGETTING:
        await transaction.execute(_QUERIES[query], key)
