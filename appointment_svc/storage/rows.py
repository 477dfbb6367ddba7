"""Rows and snapshots of the ledger as domain objects."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from appointment_svc.domain.appointment import Appointment
from chassis.sql import Queries
from kernel.appointment_status import AppointmentStatus
from kernel.appointment_types import AppointmentType

QUERIES = Queries(Path(__file__).with_name("queries.sql"))
MIGRATIONS = Path(__file__).with_name("migrations")


def appointment_of(row: dict[str, Any]) -> Appointment:
    """The appointment in a row of the table, or in the snapshot of an event (where the words are missing)."""
    return Appointment(
        id=row["appointment_id"],
        patient_id=row["patient_id"],
        doctor_id=row["doctor_id"],
        status=AppointmentStatus(row["status"]),
        kind=AppointmentType(row["kind"]),
        start=_instant(row["start_time"]),
        end=_instant(row["end_time"]),
        buffer=timedelta(minutes=row["buffer_minutes"]),
        seat=row["seat"],
        timezone=row["timezone"],
        specialty_required=row["specialty_required"],
        patient_notes=row.get("patient_notes", ""),
        match_score=row["match_score"],
        is_preferred_doctor=row["is_preferred_doctor"],
        cancel_reason=row.get("cancel_reason", ""),
        version=row["version"],
        create_time=_instant(row["create_time"]),
        update_time=_instant(row["update_time"]),
        # Snapshots taken before there were these have none of them.
        hold_expire_time=_optional_instant(row.get("hold_expire_time")),
        requires_approval=row.get("requires_approval", False),
        match_policy_version=row.get("match_policy_version", 0),
        patient_arrival_time=_optional_instant(row.get("patient_arrival_time")),
        doctor_arrival_time=_optional_instant(row.get("doctor_arrival_time")),
        rating=row.get("rating"),
        rating_comment=row.get("rating_comment", ""),
    )


def _optional_instant(value: datetime | str | None) -> datetime | None:
    return None if value is None else _instant(value)


def _instant(value: datetime | str) -> datetime:
    """A timestamptz, from a column or from the text of a snapshot."""
    instant = datetime.fromisoformat(value) if isinstance(value, str) else value
    return instant.astimezone(UTC)
