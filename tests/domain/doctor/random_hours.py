"""Random hours of a doctor: rules of several kinds, and overrides of every sort."""

import random
from collections.abc import Iterator
from datetime import date, time, timedelta
from uuid import UUID

from doctor_svc.domain.availability import AvailabilityRule, WallBlock
from doctor_svc.domain.overrides import ExtraHours, Override, OverrideKind
from kernel.appointment_types import AppointmentType

KINDS = (AppointmentType.GENERAL_CONSULTATION, AppointmentType.FOLLOW_UP, AppointmentType.GROUP_SESSION)
# The clocks of New York and Lord Howe move in March and April of 2026, those of Chatham run 45 minutes askew.
ZONES = ("UTC", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Chatham", "Pacific/Kiritimati")
_A_MINUTE = timedelta(minutes=1)
_CLOSING = (OverrideKind.VACATION, OverrideKind.SICK, OverrideKind.EMERGENCY_BLOCK, OverrideKind.MANUAL_BLOCK)


def some_rules(chance: random.Random, doctor_id: str, first: date) -> Iterator[AvailabilityRule]:
    """Weekly hours of one to three kinds on some days, and for some dates in the month after `first`."""
    for kind in chance.sample(KINDS, chance.randrange(1, 4)):
        days: list[int | date] = [*chance.sample(range(7), chance.randrange(2, 6))]
        if chance.random() < 0.5:
            days.append(first + timedelta(days=chance.randrange(20)))
        for day in days:
            morning, afternoon = _walls(chance, 0, 12), _walls(chance, 12, 24)
            if morning is None and afternoon is None:
                morning = WallBlock(time(1), time(12))
            yield AvailabilityRule(
                rule_id=str(UUID(int=chance.getrandbits(128))),
                doctor_id=doctor_id,
                day_of_week=day if isinstance(day, int) else None,
                specific_date=None if isinstance(day, int) else day,
                kind=kind,
                duration=chance.choice((15, 20, 30, 45)) * _A_MINUTE,
                buffer=chance.choice((0, 5, 10)) * _A_MINUTE,
                capacity=chance.choice((1, 1, 3)) if kind is AppointmentType.GROUP_SESSION else 1,
                morning=morning,
                afternoon=afternoon,
            )


def some_overrides(chance: random.Random, doctor_id: str, first: date) -> Iterator[Override]:
    """Up to four exceptions in the month after `first`."""
    for _ in range(chance.randrange(5)):
        begin = first + timedelta(days=chance.randrange(20))
        extra = chance.random() < 0.4
        window = _walls(chance, 0, 24) if chance.random() < 0.7 else None
        yield Override(
            override_id=str(UUID(int=chance.getrandbits(128))),
            doctor_id=doctor_id,
            kind=OverrideKind.EXTRA_HOURS if extra else chance.choice(_CLOSING),
            first_day=begin,
            last_day=begin + timedelta(days=chance.randrange(3)),
            window=window or (WallBlock(time(17), time(20)) if extra else None),
            extra=_some_extra(chance) if extra else None,
        )


def _some_extra(chance: random.Random) -> ExtraHours:
    return ExtraHours(
        kind=chance.choice(KINDS),
        duration=chance.choice((20, 30)) * _A_MINUTE,
        buffer=chance.choice((0, 10)) * _A_MINUTE,
        capacity=chance.choice((1, 2)),
        overrides_blocks=chance.random() < 0.5,
    )


def _walls(chance: random.Random, opens: int, closes: int) -> WallBlock | None:
    """A block on quarters of an hour between two hours; sometimes none, sometimes too short for any visit."""
    if chance.random() < 0.25:
        return None
    start, end = sorted(chance.sample(range(opens * 4, closes * 4 + 1), 2))
    return WallBlock(_wall(start), None if end == 24 * 4 else _wall(end))


def _wall(quarters: int) -> time:
    return time(quarters // 4, quarters % 4 * 15)
