"""A second, slow opinion on slots: it reads a wall clock minute by minute and knows nothing of the generator."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from doctor_svc.domain.availability import AvailabilityRule
from doctor_svc.domain.busy import Busy

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Seen:
    every: tuple[datetime, ...]
    free: tuple[datetime, ...]


@lru_cache(maxsize=256)
def _clock_readings(zone_name: str, day: date) -> tuple[tuple[datetime, datetime], ...]:
    """What the clock on the wall shows (naive) at each minute around a day."""
    zone = ZoneInfo(zone_name)
    first = datetime.combine(day, time(), UTC) - timedelta(hours=16)
    instants = (first + count * MINUTE for count in range(60 * 60))
    return tuple((instant, instant.astimezone(zone).replace(tzinfo=None)) for instant in instants)


def _first_shown(zone_name: str, day: date, reading: datetime) -> datetime:
    """When the clock first shows a reading; one that is skipped counts as the reading later by what was skipped."""
    shown_before = None
    for instant, shown in _clock_readings(zone_name, day):
        if shown == reading:
            return instant
        if shown > reading:
            assert shown_before is not None
            return _first_shown(zone_name, day, reading + (shown - shown_before - MINUTE))
        shown_before = shown
    raise AssertionError(reading)


def stretches(rule: AvailabilityRule, day: date, zone_name: str) -> list[tuple[datetime, datetime]]:
    """The blocks of a rule on a day as instants, as they are written: they may overlap where clocks skip an hour."""
    midnight = _first_shown(zone_name, day, datetime.combine(day + timedelta(days=1), time()))
    found = []
    for block in rule.blocks:
        start = _first_shown(zone_name, day, datetime.combine(day, block.start))
        end = midnight
        if block.end is not None:
            end = min(midnight, _first_shown(zone_name, day, datetime.combine(day, block.end)))
        found.append((start, end))
    return found


def look(rule: AvailabilityRule, taken: Sequence[Busy], day: date, zone_name: str) -> Seen:
    """All slot starts of a rule on a day, and those that nothing occupies."""
    every: list[datetime] = []
    free: list[datetime] = []
    covered_to = None
    # A skipped hour can move a morning behind the start of the afternoon, so the order is that of the instants.
    for begin, end in sorted(stretches(rule, day, zone_name)):
        start = begin if covered_to is None else max(begin, covered_to)
        while start + rule.duration <= end:
            every.append(start)
            if _nobody_there(rule, taken, start):
                free.append(start)
            start += rule.duration + rule.buffer
        covered_to = end if covered_to is None else max(end, covered_to)
    return Seen(tuple(every), tuple(free))


def _nobody_there(rule: AvailabilityRule, taken: Sequence[Busy], start: datetime) -> bool:
    seats = set(range(rule.capacity))
    instant = start
    while instant < start + rule.duration + rule.buffer:
        for item in taken:
            if item.start <= instant < item.end:
                if item.kind != rule.kind:
                    return False
                seats.discard(item.seat)
        instant += MINUTE
    return bool(seats)
