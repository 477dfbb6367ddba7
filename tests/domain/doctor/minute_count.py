"""A second, slow opinion on offered time: it marks each minute of a day that a slot or its buffer covers."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from doctor_svc.domain.availability import AvailabilityRule, WallBlock
from doctor_svc.domain.overrides import Override
from kernel.appointment_types import AppointmentType, default_buffer, default_duration
from tests.domain.doctor.slot_oracle import MINUTE, stretches

GENERAL = AppointmentType.GENERAL_CONSULTATION
CLINIC_BUFFER = timedelta(minutes=10)
ALL_DAY = WallBlock(time(), None)
Piece = tuple[datetime, datetime, AvailabilityRule]


def minutes_offered(rules: Sequence[AvailabilityRule], overrides: Sequence[Override], day: date, zone: str) -> int:
    """The minutes that a doctor offers on a day, each as often as patients may share it."""
    of_day = [override for override in overrides if override.first_day <= day <= override.last_day]
    extra = [override for override in of_day if override.extra]
    shut = {
        minute
        for override in of_day
        if not override.extra
        for start, end in stretches(_as_rule(override), day, zone)
        for minute in _minutes(start, end)
    }
    seats: dict[datetime, int] = {}
    for kind in {rule.kind for rule in rules} | {override.extra.kind for override in extra if override.extra}:
        for begin, end, rule in _blocks(kind, rules, extra, shut, day=day, zone=zone):
            start = begin
            while start + rule.duration <= end:
                for minute in _minutes(start, start + rule.duration + rule.buffer):
                    seats[minute] = max(seats.get(minute, 0), rule.capacity)
                start += rule.duration + rule.buffer
    return sum(seats.values())


def _blocks(
    kind: AppointmentType,
    rules: Sequence[AvailabilityRule],
    extra: Sequence[Override],
    shut: set[datetime],
    *,
    day: date,
    zone: str,
) -> list[Piece]:
    """What is left of the hours of a kind, by time, none begun before the one before it has ended."""
    own = [rule for rule in rules if rule.kind is kind]
    usual = own or [_lent(rule, kind) for rule in rules if rule.kind is GENERAL]
    today = [rule for rule in usual if rule.specific_date == day] or [
        rule for rule in usual if rule.day_of_week == day.isoweekday() % 7
    ]
    pieces: list[Piece] = []
    for rule in today:
        pieces += _left(rule, shut, day, zone)
    for override in extra:
        assert override.extra
        rule = _as_rule(override)
        if override.extra.kind is not kind:
            if own or override.extra.kind is not GENERAL:
                continue
            rule = _lent(rule, kind)
        pieces += _left(rule, set() if override.extra.overrides_blocks else shut, day, zone)
    pieces.sort(key=lambda piece: piece[:2])
    for place, (start, end, rule) in enumerate(pieces):
        if place:
            pieces[place] = (max(start, pieces[place - 1][1]), max(end, pieces[place - 1][1]), rule)
    return pieces


def _left(rule: AvailabilityRule, shut: set[datetime], day: date, zone: str) -> list[Piece]:
    """The runs of open minutes of a rule's blocks."""
    found: list[Piece] = []
    for start, end in stretches(rule, day, zone):
        run = start
        for minute in _minutes(start, end + MINUTE):
            if minute == end or minute in shut:
                if run < minute:
                    found.append((run, minute, rule))
                run = minute + MINUTE
    return found


def _lent(rule: AvailabilityRule, kind: AppointmentType) -> AvailabilityRule:
    buffer = default_buffer(kind, CLINIC_BUFFER)
    return AvailabilityRule(
        rule.rule_id,
        rule.doctor_id,
        rule.day_of_week,
        rule.specific_date,
        kind,
        default_duration(kind),
        buffer,
        1,
        rule.morning,
        rule.afternoon,
    )


def _as_rule(override: Override) -> AvailabilityRule:
    extra = override.extra
    return AvailabilityRule(
        override.override_id,
        override.doctor_id,
        None,
        override.first_day,
        extra.kind if extra else GENERAL,
        extra.duration if extra else MINUTE,
        extra.buffer if extra else timedelta(),
        extra.capacity if extra else 1,
        override.window or ALL_DAY,
        None,
    )


def _minutes(start: datetime, end: datetime) -> list[datetime]:
    return [start + count * MINUTE for count in range((end - start) // MINUTE)]


def local_day(instant: datetime, zone: str) -> date:
    """The date that a clock in the zone shows."""
    return instant.astimezone(ZoneInfo(zone)).date()
