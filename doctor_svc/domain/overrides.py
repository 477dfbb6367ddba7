"""Exceptions to a doctor's rules for some days: time taken away, and hours added."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from doctor_svc.domain.availability import AvailabilityRule, WallBlock
from kernel.appointment_types import AppointmentType
from kernel.civil_time import end_of_wall, instant_of

_A_DAY = timedelta(days=1)

# Half-open stretches of time, `(start, end)` in UTC.
Stretch = tuple[datetime, datetime]


class OverrideKind(StrEnum):
    """Why the usual hours do not count; all but the last take time away."""

    VACATION = "Vacation"
    SICK = "Sick"
    EMERGENCY_BLOCK = "EmergencyBlock"
    MANUAL_BLOCK = "ManualBlock"
    EXTRA_HOURS = "ExtraHours"


@dataclass(frozen=True, slots=True)
class ExtraHours:
    """What hours that are added are for. `overrides_blocks`: they stay where another override takes time away."""

    kind: AppointmentType
    duration: timedelta
    buffer: timedelta
    capacity: int
    overrides_blocks: bool


@dataclass(frozen=True, slots=True)
class Override:
    """One exception, on each day from `first_day` to `last_day`, both included, of the doctor's calendar.

    `window` is the part of each day that is meant, in wall time; None means all of it. `extra` is there for extra
    hours and for nothing else. `override_checks.require_valid` says what else a new one must keep.
    """

    override_id: str
    doctor_id: str
    kind: OverrideKind
    first_day: date
    last_day: date
    window: WallBlock | None
    extra: ExtraHours | None = None
    note: str = ""

    def on(self, day: date) -> bool:
        """Whether the day is one of its days."""
        return self.first_day <= day <= self.last_day

    def stretch(self, day: date, zone: tzinfo) -> Stretch:
        """The time of a day that is meant; it starts and ends by the wall clock like a block of hours does."""
        if self.window is None:
            return instant_of(day, time.min, zone), end_of_wall(day, None, zone)
        return instant_of(day, self.window.start, zone), end_of_wall(day, self.window.end, zone)

    def hours(self) -> AvailabilityRule:
        """Extra hours as a rule, so that a grid is cut from them as from any other. Raises ValueError for a block."""
        if self.extra is None:
            raise ValueError("only extra hours are hours")
        return AvailabilityRule(
            rule_id=self.override_id,
            doctor_id=self.doctor_id,
            day_of_week=None,
            specific_date=self.first_day,
            kind=self.extra.kind,
            duration=self.extra.duration,
            buffer=self.extra.buffer,
            capacity=self.extra.capacity,
            morning=self.window,
            afternoon=None,
        )


@dataclass(frozen=True, slots=True)
class BookedVisit:
    """A visit that is booked, as far as whoever takes its time away must know it; instants are aware."""

    appointment_id: str
    patient_id: str
    kind: AppointmentType
    start: datetime
    end: datetime


def extra_kinds(overrides: Iterable[Override], day: date) -> set[AppointmentType]:
    """The kinds that have extra hours on a day."""
    return {override.extra.kind for override in overrides if override.extra is not None and override.on(day)}


def closed_time(override: Override, zone: tzinfo) -> list[Stretch]:
    """The time that an override takes away: one stretch for whole days, otherwise one a day. None for extra hours."""
    if override.extra is not None:
        return []
    if override.window is None:
        opening = instant_of(override.first_day, time.min, zone)
        return [(opening, end_of_wall(override.last_day, None, zone))]
    days = range((override.last_day - override.first_day).days + 1)
    stretches = (override.stretch(override.first_day + ahead * _A_DAY, zone) for ahead in days)
    return [(start, end) for start, end in stretches if start < end]


def without(start: datetime, end: datetime, closed: Iterable[Stretch]) -> list[Stretch]:
    """What is left of `[start, end)` once all the closed stretches are taken out, in order."""
    left = [(start, end)]
    for shut, open_again in closed:
        left = [
            (begin, stop)
            for one, other in left
            for begin, stop in ((one, min(other, shut)), (max(one, open_again), other))
            if begin < stop
        ]
    return left
