"""A patient's wish for a time, in the patient's wall time, turned into windows of instants."""

from datetime import date, datetime, time, timedelta, tzinfo

from doctor_svc.domain.window import CALENDAR_YEARS, BookingPolicy, Window
from kernel.civil_time import end_of_wall, instant_of
from kernel.errors import InvalidArgument

SOON = timedelta(days=7)


def wished_window(day: date | None, start: time | None, end: time | None, zone: tzinfo) -> Window | None:
    """The window of a wished date and times in the patient's zone; None when no date is wished.

    Without a start it begins with the day. `end` is the latest start and counts as inside; without one (or as 24:00)
    the day's last moment is. Where clocks skip an hour a start inside it moves forward, and the end with it if need be.
    Raises InvalidArgument for preferred_date, preferred_time_start or preferred_time_end.
    """
    if day is None:
        _require_no_times(start, end)
        return None
    if day.year not in CALENDAR_YEARS:
        raise InvalidArgument.of("preferred_date", "must be a date from 1970-01-01 to 9998-12-31")
    if start is not None and end is not None and end < start:
        raise InvalidArgument.of("preferred_time_end", "must not be before preferred_time_start")
    earliest = instant_of(day, start or time.min, zone)
    if end is None:
        return Window(earliest, end_of_wall(day, None, zone) - datetime.resolution)
    return Window(earliest, max(earliest, instant_of(day, end, zone)))


def windows_without_date(now: datetime, policy: BookingPolicy) -> tuple[Window, Window]:
    """Where to look when no date is wished: the first days that can be booked, then, if nobody is free, all of them.

    The second reaches past the horizon of every zone; a doctor's own horizon cuts it short.
    """
    earliest = now + policy.notice
    past_the_horizon = now + timedelta(days=policy.horizon_days + 2)
    return Window(earliest, earliest + SOON), Window(earliest, past_the_horizon)


def _require_no_times(start: time | None, end: time | None) -> None:
    for field, given in (("preferred_time_start", start), ("preferred_time_end", end)):
        if given is not None:
            raise InvalidArgument.of(field, "is a time on preferred_date, which must be given too")
