"""Rules of availability and overrides: their columns to domain objects and back."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

from doctor_svc.domain.availability import AvailabilityRule, WallBlock
from doctor_svc.domain.overrides import ExtraHours, Override, OverrideKind
from kernel.appointment_types import AppointmentType

_MINUTE = timedelta(minutes=1)
_KINDS = {kind.value: kind for kind in AppointmentType}
_MIDNIGHT_END = "24:00:00"


def rule_of(columns: Sequence[Any]) -> AvailabilityRule:
    """A rule from its columns in the order of the queries."""
    rule_id, doctor_id, day_of_week, on, kind, duration, buffer, capacity, *walls, notice, horizon, version = columns
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
        notice=None if notice is None else notice * _MINUTE,
        horizon_days=horizon,
        version=version,
    )


def rule_row(rule: AvailabilityRule) -> dict[str, object]:
    """The parameters of put_rule, and of insert_rule but for the time."""
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
        "notice_minutes": None if rule.notice is None else rule.notice // _MINUTE,
        "horizon_days": rule.horizon_days,
        "version": rule.version,
    }


def override_of(columns: Sequence[Any]) -> Override:
    """An override from its columns in the order of the queries."""
    override_id, doctor_id, kind, first, last, start, end, *extra, note = columns
    return Override(
        override_id=override_id,
        doctor_id=doctor_id,
        kind=OverrideKind(kind),
        first_day=date.fromisoformat(first),
        last_day=date.fromisoformat(last),
        window=_block(start, end),
        extra=_extra(*extra) if extra[0] else None,
        note=note,
    )


def override_row(override: Override, now: datetime) -> dict[str, object]:
    """The parameters of insert_override."""
    extra = override.extra
    return {
        "override_id": override.override_id,
        "doctor_id": override.doctor_id,
        "kind": override.kind.value,
        "first_day": override.first_day,
        "last_day": override.last_day,
        "window_start": _start(override.window),
        "window_end": _end(override.window),
        "extra_kind": extra.kind.value if extra else None,
        "duration_minutes": extra.duration // _MINUTE if extra else None,
        "buffer_minutes": extra.buffer // _MINUTE if extra else None,
        "capacity": extra.capacity if extra else None,
        "overrides_blocks": extra.overrides_blocks if extra else None,
        "note": override.note,
        "create_time": now,
    }


def _extra(kind: str, duration: int, buffer: int, capacity: int, overrides_blocks: bool) -> ExtraHours:
    return ExtraHours(_KINDS[kind], duration * _MINUTE, buffer * _MINUTE, capacity, overrides_blocks)


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
