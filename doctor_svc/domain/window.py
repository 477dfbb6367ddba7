"""The stretch of time in which a visit may start, and the clinic's own: notice before it, horizon after it."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache

from kernel.civil_time import day_of, end_of_wall
from kernel.errors import InvalidArgument

# Days of these years have a day before and after them in every zone, so that no conversion can overflow.
CALENDAR_YEARS = range(1970, 9999)
# No zone is further than this from UTC, so a day of any calendar lies within its UTC day and this much around it.
_FURTHEST_ZONE = timedelta(hours=15)


@dataclass(frozen=True, slots=True)
class Window:
    """The instants at which a visit may start, both ends included; empty when the latest is before the earliest."""

    earliest: datetime
    latest: datetime

    def intersect(self, other: "Window") -> "Window":
        """The instants that both windows hold."""
        if self.earliest <= other.earliest and other.latest <= self.latest:
            return other
        return Window(max(self.earliest, other.earliest), min(self.latest, other.latest))

    def __contains__(self, instant: datetime) -> bool:
        return self.earliest <= instant <= self.latest


def stretch_of_days(first: date, last: date, field: str) -> Window:
    """The instants that can belong to some days of any zone's calendar. Raises InvalidArgument for `field`."""
    if first.year not in CALENDAR_YEARS or last.year not in CALENDAR_YEARS:
        raise InvalidArgument.of(field, "must be a date from 1970-01-01 to 9998-12-31")
    opening, closing = (datetime.combine(day, time.min, UTC) for day in (first, last))
    return Window(opening - _FURTHEST_ZONE, closing + timedelta(days=1) + _FURTHEST_ZONE)


@dataclass(frozen=True, slots=True)
class BookingPolicy:
    """The clinic's numbers: the least notice, how many days ahead can be booked, the buffer of kinds that name none."""

    notice: timedelta = timedelta(hours=2)
    horizon_days: int = 90
    clinic_buffer: timedelta = timedelta(minutes=10)

    def tightened(self, notice: timedelta | None, horizon_days: int | None) -> "BookingPolicy":
        """With a notice and a horizon of someone's own where those are stricter; they can never be laxer."""
        return replace(
            self,
            notice=self.notice if notice is None else max(self.notice, notice),
            horizon_days=self.horizon_days if horizon_days is None else min(self.horizon_days, horizon_days),
        )

    def last_day(self, now: datetime, zone: tzinfo) -> date:
        """The last day of a doctor's calendar that can be booked; all of it can."""
        return day_of(now, zone) + timedelta(days=self.horizon_days)

    def bookable(self, now: datetime, zone: tzinfo) -> Window:
        """When a visit of a doctor in that zone may start: from the end of the notice to the end of the last day."""
        after_last_day = end_of_wall(self.last_day(now, zone), None, zone)
        return Window(now + self.notice, after_last_day - datetime.resolution)

    @lru_cache(maxsize=256)  # noqa: B019  a process has one policy, and some that rules tighten
    def calendar(self, now: datetime, zone: tzinfo) -> tuple[date, date, Window]:
        """Today, the last day and when a visit may start: the same for all doctors of a zone."""
        return day_of(now, zone), self.last_day(now, zone), self.bookable(now, zone)
