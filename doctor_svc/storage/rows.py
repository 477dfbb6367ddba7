"""Rows to domain objects and back, in one place."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from doctor_svc.domain.busy import Busy
from doctor_svc.domain.matching import DoctorProfile
from doctor_svc.domain.schedule import Schedule
from doctor_svc.domain.visits import Visit
from doctor_svc.storage.hour_rows import override_of, rule_of
from kernel.appointment_types import AppointmentType

Row = Mapping[str, Any]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KINDS = {kind.value: kind for kind in AppointmentType}


def profile_of(row: Row) -> DoctorProfile:
    """What a patient may know of a doctor."""
    return DoctorProfile(
        doctor_id=row["doctor_id"],
        first_name=row["first_name"],
        last_name=row["last_name"],
        specialty=row["specialty"],
        sub_specialties=tuple(row["sub_specialties"]),
        timezone=row["timezone"],
        rating=row["rating"],
        rating_count=row["rating_count"],
        years_experience=row["years_experience"],
        languages=tuple(row["languages"]),
        license_jurisdictions=tuple(row["license_jurisdictions"]),
        max_daily_appointments=row["max_daily_appointments"],
        requires_approval=row["requires_approval"],
    )


def practice_of(row: Row) -> Schedule:
    """A doctor with hours and without visits."""
    return Schedule(
        profile=profile_of(row),
        is_verified=row["is_verified"],
        is_active=row["is_active"],
        rules=tuple(map(rule_of, row["rules"] or ())),
        overrides=tuple(map(override_of, row["overrides"] or ())),
        busy=(),
    )


def busy_of(row: Row) -> tuple[Busy, ...]:
    """The busy times in the columns of a schedule."""
    if row["starts"] is None:
        return ()
    kinds = map(_KINDS.__getitem__, row["kinds"])
    return tuple(map(Busy, map(_instant, row["starts"]), map(_instant, row["ends"]), kinds, row["seats"]))


def visit_columns(visits: Sequence[Visit]) -> dict[str, object]:
    """The parameters of keep_visits but for the number of the change: one list a column."""
    return {
        "appointment_ids": [visit.appointment_id for visit in visits],
        "doctor_ids": [visit.doctor_id for visit in visits],
        "patient_ids": [visit.patient_id for visit in visits],
        "kinds": [visit.kind.value for visit in visits],
        "statuses": [visit.status.value for visit in visits],
        "starts": [visit.start for visit in visits],
        "ends": [visit.end for visit in visits],
        "occupied_until": [visit.occupied_until for visit in visits],
        "seats": [visit.seat for visit in visits],
        "versions": [visit.version for visit in visits],
        "hold_expire_times": [visit.hold_expire_time for visit in visits],
        "ratings": [visit.rating for visit in visits],
    }


@lru_cache(maxsize=65_536)
def _instant(microseconds: int) -> datetime:
    """An instant; visits begin and end at few different ones, and all doctors at the same."""
    return _EPOCH + timedelta(microseconds=microseconds)
