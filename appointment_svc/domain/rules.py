"""The clinic's rules of booking: how soon, how far ahead, how many a day, how long."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from appointment_svc.domain.errors import TooFarAhead, TooSoon
from kernel.appointment_types import MAX_VISIT, MIN_VISIT, AppointmentType, default_duration
from kernel.civil_time import day_of
from kernel.errors import InvalidArgument

MAX_NOTES = 2_000
MAX_REASON = 500
MAX_COMMENT = 2_000
RATINGS = range(1, 6)
MAX_SPECIALTY = 100
_CALENDAR_YEARS = range(1970, 9999)
# Of visits in a day, where the limit is set aside: more than any day holds.
NO_LIMIT = 300


@dataclass(frozen=True, slots=True)
class Rules:
    """The figures of the rules; docs/operations.md names the variable of each."""

    min_advance: timedelta = timedelta(hours=2)
    max_advance_days: int = 90
    cancel_notice: timedelta = timedelta(hours=24)
    reschedule_notice: timedelta = timedelta(hours=48)
    daily_limit: int = 3
    smart_booking: bool = True
    hold_ttl: timedelta = timedelta(minutes=10)
    no_show_after: timedelta = timedelta(minutes=30)
    overtime: timedelta = timedelta(minutes=30)
    clinic_buffer: timedelta = timedelta(minutes=10)

    def check_notice(self, start: datetime, now: datetime) -> None:
        """Refuses a start with too little notice."""
        if start - now < self.min_advance:
            raise TooSoon.of(start, now, self.min_advance)

    def check_start(self, start: datetime, now: datetime, zone: tzinfo) -> None:
        """Refuses a start with too little notice, or on a day past the horizon of the doctor's calendar."""
        self.check_notice(start, now)
        self.check_day(day_of(start, zone), now, zone)

    def check_day(self, day: date, now: datetime, zone: tzinfo) -> None:
        """Refuses a day past the horizon: today in that zone plus max_advance_days, that whole day included."""
        last_day = self.last_day(now, zone)
        if day > last_day:
            raise TooFarAhead.of(last_day, opens_on=day_of(now, zone) + (day - last_day))

    def last_day(self, now: datetime, zone: tzinfo) -> date:
        """The last day of a calendar that can be booked; all of it can."""
        return day_of(now, zone) + timedelta(days=self.max_advance_days)


def check_calendar(when: date, field: str) -> None:
    """Refuses a date, or an instant, of a year that no zone's calendar surely has whole."""
    if when.year not in _CALENDAR_YEARS:
        raise InvalidArgument.of(field, "must lie between the years 1970 and 9998")


def visit_length(kind: AppointmentType, minutes: int) -> timedelta:
    """The length asked for, or the default of the kind for 0. Raises InvalidArgument outside of 5 to 240 minutes."""
    length = timedelta(minutes=minutes) if minutes else default_duration(kind)
    if not MIN_VISIT <= length <= MAX_VISIT:
        raise InvalidArgument.of("duration_minutes", "must be 5 to 240 minutes, or 0 for the default of the type")
    return length


def check_text(text: str, field: str, longest: int) -> None:
    """Refuses a text of more than `longest` characters, or with a NUL, which PostgreSQL cannot store."""
    if len(text) > longest:
        raise InvalidArgument.of(field, f"must be at most {longest:,} characters")
    if "\x00" in text:
        raise InvalidArgument.of(field, "must not contain a NUL character")
