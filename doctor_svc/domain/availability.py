"""When a doctor works: weekly and one-day rules in the doctor's wall time, and which of them apply on a day."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, time, timedelta

from kernel.appointment_types import AppointmentType, default_buffer, default_duration

_DAYS_IN_A_WEEK = 7


@dataclass(frozen=True, slots=True)
class WallBlock:
    """Hours of one day as a wall clock shows them, the end not included; an end of None is 24:00."""

    start: time
    end: time | None

    @property
    def opens(self) -> timedelta:
        """The start, as wall time since midnight."""
        return _since_midnight(self.start)

    @property
    def closes(self) -> timedelta:
        """The end, as wall time since midnight; at most 24 hours."""
        return timedelta(days=1) if self.end is None else _since_midnight(self.end)

    def overlaps(self, other: "WallBlock") -> bool:
        """Whether the two share a moment; blocks that only touch do not."""
        return self.opens < other.closes and other.opens < self.closes


@dataclass(frozen=True, slots=True)
class AvailabilityRule:
    """Hours in which a doctor takes visits of one kind, every week on one day or on one date.

    Exactly one of `day_of_week` (0 = Sunday … 6 = Saturday) and `specific_date` is set. Up to `capacity` visits of the
    kind may share the time. `notice` and `horizon_days`, where given, say for this rule's slots what the clinic's own
    numbers say for all; the stricter of the two counts. `rule_checks.require_valid` says what else a new rule must
    keep; hours lent by another kind (`hours_of`) need not keep it, because a block may be too short for the visit that
    borrows it.
    """

    rule_id: str
    doctor_id: str
    day_of_week: int | None
    specific_date: date | None
    kind: AppointmentType
    duration: timedelta
    buffer: timedelta
    capacity: int
    morning: WallBlock | None
    afternoon: WallBlock | None
    notice: timedelta | None = None
    horizon_days: int | None = None
    version: int = 1

    @property
    def blocks(self) -> tuple[WallBlock, ...]:
        """The blocks that are there, in the order of the day."""
        return tuple(block for block in (self.morning, self.afternoon) if block is not None)


def rules_overlap(one: AvailabilityRule, other: AvailabilityRule) -> bool:
    """Whether two different rules give one doctor hours of the same kind at the same time.

    A weekly rule and one for a date never do: on its date the latter replaces the former.
    """
    return overlapping_block(one, other) is not None


def overlapping_block(one: AvailabilityRule, other: AvailabilityRule) -> WallBlock | None:
    """The first block of a rule that shares time with another rule of the doctor, kind and day; None without one."""
    if one.rule_id == other.rule_id or (one.doctor_id, one.kind) != (other.doctor_id, other.kind):
        return None
    if (one.day_of_week, one.specific_date) != (other.day_of_week, other.specific_date):
        return None
    return next((mine for mine in one.blocks if any(mine.overlaps(theirs) for theirs in other.blocks)), None)


def kinds_served(rules: Sequence[AvailabilityRule]) -> tuple[AppointmentType, ...]:
    """The kinds that a doctor has rules of their own for, in the order of the vocabulary."""
    present = {rule.kind for rule in rules}
    return tuple(kind for kind in AppointmentType if kind in present)


def hours_of(
    rules: Sequence[AvailabilityRule], kind: AppointmentType, clinic_buffer: timedelta
) -> tuple[AvailabilityRule, ...]:
    """All rules by which a doctor serves a kind, whatever the day.

    A kind without a single rule borrows the hours of the general consultation, one patient at a time, with the
    duration and buffer of its own; `clinic_buffer` is the buffer of the kinds that name none.
    """
    own = tuple(rule for rule in rules if rule.kind is kind)
    if own:
        return own
    return tuple(lent(rule, kind, clinic_buffer) for rule in rules if rule.kind is AppointmentType.GENERAL_CONSULTATION)


def lent(general: AvailabilityRule, kind: AppointmentType, clinic_buffer: timedelta) -> AvailabilityRule:
    """The same hours for visits of another kind."""
    duration, buffer = default_duration(kind), default_buffer(kind, clinic_buffer)
    return replace(general, kind=kind, duration=duration, buffer=buffer, capacity=1)


def rules_on(hours: Sequence[AvailabilityRule], day: date) -> tuple[AvailabilityRule, ...]:
    """Those of one kind's rules that count on a day: the ones for that very date, else the weekly ones."""
    dated = tuple(rule for rule in hours if rule.specific_date == day)
    if dated:
        return dated
    weekday = day.isoweekday() % _DAYS_IN_A_WEEK
    return tuple(rule for rule in hours if rule.day_of_week == weekday)


def applicable_rules(
    rules: Sequence[AvailabilityRule], kind: AppointmentType, day: date, clinic_buffer: timedelta
) -> tuple[AvailabilityRule, ...]:
    """The rules by which a doctor serves a kind on a day of the doctor's calendar."""
    return rules_on(hours_of(rules, kind, clinic_buffer), day)


def _since_midnight(wall: time) -> timedelta:
    return timedelta(hours=wall.hour, minutes=wall.minute, seconds=wall.second, microseconds=wall.microsecond)
