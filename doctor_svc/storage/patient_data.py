"""All that this service keeps of one patient: the copy of their visits, in which nobody writes a word."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from chassis.context import Caller
from chassis.db import Database, Session
from chassis.ids import parse_uuid
from chassis.sql import Queries
from kernel.appointment_types import AppointmentType

_QUERIES = Queries(Path(__file__).with_name("patient_data.sql"))
_BEFORE_ALL = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class PatientVisit:
    """The copy of a visit; the rating is None without one."""

    appointment_id: str
    doctor_id: str
    kind: AppointmentType
    status: str
    start: datetime
    end: datetime
    rating: int | None


@dataclass(frozen=True, slots=True)
class PatientVisits:
    """The section of visits (chassis.export_patient_data.Section)."""

    database: Database

    async def __call__(self, _: Caller, patient_id: str, after: str, limit: int) -> Sequence[tuple[str, Any]]:
        """Visits by appointment."""
        position = parse_uuid(after, "page_token") if after else _BEFORE_ALL
        page = {"patient_id": patient_id, "after": position, "limit": limit}
        return [
            (row["appointment_id"], _visit_of(row))
            for row in await self.database.all(_QUERIES["visits_of_patient"], page)
        ]


async def forget_words(_: Session, __: str) -> None:
    """Nothing is the service's own: what is copied has no words, and belongs to the appointment."""


def _visit_of(row: dict[str, Any]) -> PatientVisit:
    return PatientVisit(
        appointment_id=row["appointment_id"],
        doctor_id=row["doctor_id"],
        kind=AppointmentType(row["kind"]),
        status=row["status"],
        start=row["start_time"].astimezone(UTC),
        end=row["end_time"].astimezone(UTC),
        rating=row["rating"],
    )
