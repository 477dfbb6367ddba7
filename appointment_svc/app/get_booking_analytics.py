"""Tells day by day how attempts to book went."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from appointment_svc.domain.statistics import BookingAnalytics
from chassis.clock import Clock
from kernel.civil_time import day_of, instant_of
from kernel.errors import InvalidArgument

MOST_DAYS = 92
_USUAL_DAYS = 30
_DAY = timedelta(days=1)


class AttemptStatistics(Protocol):
    """The figures of attempts to book."""

    async def attempts(self, days: Sequence[date], midnights: Sequence[datetime]) -> BookingAnalytics:
        """The figures of consecutive days; `midnights` are the instants between them, one more than days."""
        ...


@dataclass(frozen=True, slots=True)
class GetBookingAnalytics:
    """The use case."""

    statistics: AttemptStatistics
    clock: Clock

    async def __call__(self, first: date | None, last: date | None, zone: ZoneInfo) -> BookingAnalytics:
        """The days from first to last, both included, of the calendar of a zone. Raises InvalidArgument.

        Without a last day it is today; without a first, there are 30 days.
        """
        try:
            days, midnights = self._days(first, last, zone)
        except OverflowError:
            raise InvalidArgument.of("from", "all days of the range must lie between the years 1 and 9999") from None
        return await self.statistics.attempts(days, midnights)

    def _days(self, first: date | None, last: date | None, zone: ZoneInfo) -> tuple[list[date], list[datetime]]:
        last = last or day_of(self.clock(), zone)
        first = first or last - (_USUAL_DAYS - 1) * _DAY
        if last < first:
            raise InvalidArgument.of("to", "must not be before from")
        count = (last - first).days + 1
        if count > MOST_DAYS:
            raise InvalidArgument.of("to", f"must be at most {MOST_DAYS - 1} days after from")
        days = [first + number * _DAY for number in range(count)]
        # Days become instants here: which midnight a doubled or missing one is, is decided in one place.
        return days, [instant_of(day, time(0), zone) for day in (*days, last + _DAY)]
