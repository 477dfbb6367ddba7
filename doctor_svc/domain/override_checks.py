"""What an override must keep before it is accepted, told by the field that the caller sent."""

from collections.abc import Iterator
from datetime import date, time, timedelta

from doctor_svc.domain.availability import WallBlock
from doctor_svc.domain.overrides import ExtraHours, Override
from doctor_svc.domain.rule_checks import MAX_BUFFER, MAX_CAPACITY
from doctor_svc.domain.window import CALENDAR_YEARS
from kernel.appointment_types import MAX_VISIT, MIN_VISIT
from kernel.errors import InvalidArgument, Violation

MAX_DAYS_AHEAD = 366
MAX_NOTE = 500
_MINUTE = timedelta(minutes=1)


def daily_window(start: time | None, end: time | None, *, until_midnight: bool = False) -> WallBlock | None:
    """The window with these two ends, or None when neither is given; `until_midnight` stands for an end of 24:00.

    Raises InvalidArgument for the missing end when only one is given.
    """
    has_end = end is not None or until_midnight
    if start is None and has_end:
        raise InvalidArgument.of("override.start_time", "is required when end_time is given")
    if start is not None and not has_end:
        raise InvalidArgument.of("override.end_time", "is required when start_time is given")
    return None if start is None else WallBlock(start, end)


def require_valid(override: Override, today: date) -> None:
    """Accepts a new override, or raises InvalidArgument with every field that is wrong.

    `today` is the day of the doctor's calendar: what is over changes nothing, so it is most likely a mistake.
    """
    violations = tuple(_violations(override, today))
    if violations:
        message = "; ".join(f"{violation.field}: {violation.description}" for violation in violations)
        raise InvalidArgument(message, violations=violations)


def _violations(override: Override, today: date) -> Iterator[Violation]:
    yield from _day_violations(override, today)
    if override.window is not None and override.window.opens >= override.window.closes:
        yield Violation("override.end_time", "must be after start_time")
    if len(override.note) > MAX_NOTE or not override.note.isprintable():
        yield Violation("override.note", f"must be at most {MAX_NOTE} characters on one line")
    if override.extra is not None:
        yield from _extra_violations(override.extra, override.window)


def _day_violations(override: Override, today: date) -> Iterator[Violation]:
    if override.first_day.year not in CALENDAR_YEARS:
        yield Violation("override.start_date", "must be a date from 1970-01-01 to 9998-12-31")
    elif override.last_day < override.first_day:
        yield Violation("override.end_date", "must not be before start_date")
    elif (override.last_day - override.first_day).days > MAX_DAYS_AHEAD or override.last_day.year not in CALENDAR_YEARS:
        yield Violation("override.end_date", f"must be at most {MAX_DAYS_AHEAD} days after start_date")
    elif override.last_day < today:
        yield Violation("override.end_date", "must not be before today in the doctor's zone")


def _extra_violations(extra: ExtraHours, window: WallBlock | None) -> Iterator[Violation]:
    if not MIN_VISIT <= extra.duration <= MAX_VISIT:
        yield Violation("override.duration_minutes", f"must be {MIN_VISIT // _MINUTE} to {MAX_VISIT // _MINUTE}")
    elif window is not None and timedelta() < window.closes - window.opens < extra.duration:
        yield Violation("override.end_time", "must leave room for one visit of duration_minutes")
    if not timedelta() <= extra.buffer <= MAX_BUFFER:
        yield Violation("override.buffer_minutes", f"must be 0 to {MAX_BUFFER // _MINUTE}")
    if not 1 <= extra.capacity <= MAX_CAPACITY:
        yield Violation("override.max_concurrent_appointments", f"must be 1 to {MAX_CAPACITY}")
    if window is None:
        yield Violation("override.start_time", "is required for extra hours")
