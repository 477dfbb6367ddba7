"""Rows to domain objects and back, in one place."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

from doctor_svc.domain.availability import AvailabilityRule, WallBlock
from doctor_svc.domain.busy import Busy
from doctor_svc.domain.matching import DoctorProfile
from doctor_svc.domain.schedule import Schedule
from doctor_svc.domain.visits import Visit
from kernel.appointment_types import AppointmentType

Row = Mapping[str, Any]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)
_KINDS = {kind.value: kind for kind in AppointmentType}
_MIDNIGHT_END = "24:00:00"


def rule_of(columns: Sequence[Any]) -> AvailabilityRule:
    """A rule from its columns in the order of the queries."""
    rule_id, doctor_id, day_of_week, on, kind, duration, buffer, capacity, *walls = columns
    return AvailabilityRule(
        rule_id=rule_id,
        doctor_id=doctor_id,
        day_of_week=day_of_week,
        specific_date=None if on is None else date.fromisoformat(on),
        kind=_KINDS[kind],
        duration=duration * _MINUTE,
        buffer=buffer * _MINUTE,
        capacity=capacity,
        morning=_block(walls[0], walls[1]),
        afternoon=_block(walls[2], walls[3]),
    )


def rule_row(rule: AvailabilityRule, now: datetime) -> dict[str, object]:
    """The parameters of insert_rule."""
    return {
        "rule_id": rule.rule_id,
        "doctor_id": rule.doctor_id,
        "day_of_week": rule.day_of_week,
        "specific_date": rule.specific_date,
        "kind": rule.kind.value,
        "duration_minutes": rule.duration // _MINUTE,
        "buffer_minutes": rule.buffer // _MINUTE,
        "capacity": rule.capacity,
        "morning_start": _start(rule.morning),
        "morning_end": _end(rule.morning),
        "afternoon_start": _start(rule.afternoon),
        "afternoon_end": _end(rule.afternoon),
        "create_time": now,
    }


def schedule_of(row: Row) -> Schedule:
    """A doctor with hours, busy times and history."""
    return Schedule(
        profile=DoctorProfile(
            doctor_id=row["doctor_id"],
            first_name=row["first_name"],
            last_name=row["last_name"],
            specialty=row["specialty"],
            sub_specialties=tuple(row["sub_specialties"]),
            timezone=row["timezone"],
            rating=row["rating"],
            rating_count=row["rating_count"],
            years_experience=row["years_experience"],
        ),
        is_verified=row["is_verified"],
        is_active=row["is_active"],
        rules=tuple(map(rule_of, row["rules"] or ())),
        busy=tuple(
            Busy(_instant(start), _instant(end), _KINDS[kind], seat) for start, end, kind, seat in row["busy"] or ()
        ),
        previous_visits=row["previous_visits"],
    )


def visit_columns(visits: Sequence[Visit]) -> dict[str, object]:
    """The parameters of keep_visits: one list a column."""
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
    }


def _instant(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)


@lru_cache(maxsize=4096)
def _block(start: str | None, end: str | None) -> WallBlock | None:
    """A block; few differ among many rules, so each is parsed once."""
    if start is None or end is None:
        return None
    return WallBlock(time.fromisoformat(start), None if end == _MIDNIGHT_END else time.fromisoformat(end))


def _start(block: WallBlock | None) -> str | None:
    return block.start.isoformat() if block else None


def _end(block: WallBlock | None) -> str | None:
    if block is None:
        return None
    return _MIDNIGHT_END if block.end is None else block.end.isoformat()
