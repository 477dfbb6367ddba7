"""What a rule of availability must keep before it is accepted, told by the field that the caller sent."""

from collections.abc import Iterable, Iterator
from datetime import time, timedelta
from typing import Literal

from doctor_svc.domain.availability import AvailabilityRule, WallBlock, overlapping_block
from doctor_svc.domain.errors import RuleOverlaps
from kernel.appointment_types import MAX_VISIT, MIN_VISIT
from kernel.errors import InvalidArgument, Violation

MAX_BUFFER = timedelta(minutes=120)
MAX_CAPACITY = 100
MAX_NOTICE = timedelta(days=30)
MAX_HORIZON_DAYS = 730
_SATURDAY = 6

DayPart = Literal["morning", "afternoon"]


def wall_block(
    part: DayPart, start: time | None, end: time | None, *, until_midnight: bool = False
) -> WallBlock | None:
    """The block with these two ends, or None when neither is given.

    `until_midnight` says that the end was given as 24:00, which no `time` can express; `end` is None then.
    Raises InvalidArgument for the missing end when only one is given.
    """
    has_end = end is not None or until_midnight
    if start is None and not has_end:
        return None
    if start is None:
        raise InvalidArgument.of(f"rule.{part}_start_time", f"is required when {part}_end_time is given")
    if not has_end:
        raise InvalidArgument.of(f"rule.{part}_end_time", f"is required when {part}_start_time is given")
    return WallBlock(start, end)


def require_valid(rule: AvailabilityRule) -> None:
    """Accepts a new rule, or raises InvalidArgument with every field that is wrong."""
    violations = tuple(_violations(rule))
    if violations:
        message = "; ".join(f"{violation.field}: {violation.description}" for violation in violations)
        raise InvalidArgument(message, violations=violations)


def require_apart(rule: AvailabilityRule, others: Iterable[AvailabilityRule]) -> None:
    """Raises RuleOverlaps, which names the block, when a rule shares time with another of the doctor and kind."""
    for other in others:
        block = overlapping_block(rule, other)
        if block is not None:
            part = "morning" if block is rule.morning else "afternoon"
            raise RuleOverlaps(other.rule_id, f"rule.{part}_start_time")


def _violations(rule: AvailabilityRule) -> Iterator[Violation]:
    yield from _day_violations(rule)
    if not MIN_VISIT <= rule.duration <= MAX_VISIT:
        yield Violation("rule.duration_minutes", f"must be {_minutes(MIN_VISIT)} to {_minutes(MAX_VISIT)}")
    if not timedelta() <= rule.buffer <= MAX_BUFFER:
        yield Violation("rule.buffer_minutes", f"must be 0 to {_minutes(MAX_BUFFER)}")
    if not 1 <= rule.capacity <= MAX_CAPACITY:
        yield Violation("rule.max_concurrent_appointments", f"must be 1 to {MAX_CAPACITY}")
    if rule.notice is not None and not timedelta() <= rule.notice <= MAX_NOTICE:
        yield Violation("rule.min_notice_minutes", f"must be 0 to {_minutes(MAX_NOTICE)}")
    if rule.horizon_days is not None and not 0 <= rule.horizon_days <= MAX_HORIZON_DAYS:
        yield Violation("rule.max_advance_days", f"must be 0 to {MAX_HORIZON_DAYS}")
    yield from _block_violations(rule)


def _day_violations(rule: AvailabilityRule) -> Iterator[Violation]:
    if rule.day_of_week is None and rule.specific_date is None:
        yield Violation("rule.day_of_week", "is required unless specific_date is given")
    if rule.day_of_week is not None and rule.specific_date is not None:
        yield Violation("rule.specific_date", "cannot be given together with day_of_week")
    if rule.day_of_week is not None and not 0 <= rule.day_of_week <= _SATURDAY:
        yield Violation("rule.day_of_week", "must be 0 (Sunday) to 6 (Saturday)")


def _block_violations(rule: AvailabilityRule) -> Iterator[Violation]:
    if not rule.blocks:
        yield Violation("rule.morning_start_time", "is required unless there is an afternoon block")
    for part, block in (("morning", rule.morning), ("afternoon", rule.afternoon)):
        if block is None:
            continue
        if block.opens >= block.closes:
            yield Violation(f"rule.{part}_end_time", f"must be after {part}_start_time")
        elif block.closes - block.opens < rule.duration <= MAX_VISIT:
            yield Violation(f"rule.{part}_end_time", "must leave room for one visit of duration_minutes")
    if rule.morning and rule.afternoon and rule.afternoon.opens < rule.morning.closes:
        yield Violation("rule.afternoon_start_time", "must not be before morning_end_time")


def _minutes(length: timedelta) -> int:
    return length // timedelta(minutes=1)
