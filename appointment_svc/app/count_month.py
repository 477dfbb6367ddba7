"""Shows the figures of the last thirty days, counted by one replica for all."""

import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from appointment_svc.app import numbers
from appointment_svc.app.get_booking_analytics import AttemptStatistics, GetBookingAnalytics
from appointment_svc.app.get_stats import Statistics
from appointment_svc.app.ports import ListFilter, Method
from appointment_svc.domain.statistics import BookingFigures, VisitStats
from chassis.clock import Clock

_DAYS = 30
_EVERY_SECONDS = 300.0
# How soon another replica takes over from one that has ended.
_TRY_SECONDS = 30.0
_UTC = ZoneInfo("UTC")


class Figures(Statistics, AttemptStatistics, Protocol):
    """The figures of visits and of attempts."""


class Turns(Protocol):
    """Whose turn it is to count."""

    def turn(self) -> AbstractAsyncContextManager[Figures | None]:
        """The figures for as long as the block runs; None while it is another replica's turn."""
        ...


@dataclass(frozen=True, slots=True)
class CountMonth:
    """The use case. Who has the turn keeps it: the others show no figures of their own, and cost nothing."""

    turns: Turns
    clock: Clock

    async def run(self) -> None:
        """Counts for ever, or waits for the turn."""
        forget()
        while True:
            async with self.turns.turn() as figures:
                if figures is not None:
                    await self._keep_counting(figures)
            await asyncio.sleep(_TRY_SECONDS)

    async def _keep_counting(self, figures: Figures) -> None:
        try:
            while True:
                await self.count(figures)
                await asyncio.sleep(_EVERY_SECONDS)
        finally:
            forget()

    async def count(self, figures: Figures) -> None:
        """Counts once and shows the figures."""
        now = self.clock()
        last = now.astimezone(UTC).date()
        first = last - timedelta(days=_DAYS - 1)
        _show_visits(
            await figures.visits(ListFilter(since=_midnight(first), until=_midnight(last + timedelta(days=1))))
        )
        _show_bookings((await GetBookingAnalytics(figures, self.clock)(first, last, _UTC)).total)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _show_visits(stats: VisitStats) -> None:
    for outcome in ("completed", "cancelled", "no_show"):
        numbers.visits.labels(outcome).set(getattr(stats, outcome))
    for kind, count in stats.by_kind.items():
        numbers.visits_by_type.labels(kind.value).set(count)
    numbers.visit_minutes.set(stats.average_minutes)
    numbers.continuity.set(stats.continuity_rate)
    numbers.match_score.set(stats.average_match_score)


def _show_bookings(figures: BookingFigures) -> None:
    for method, made, ratio in (
        (Method.SMART, figures.smart_bookings, figures.smart_success_rate),
        (Method.MANUAL, figures.manual_bookings, figures.manual_success_rate),
        (Method.HOLD, figures.confirmed_holds, figures.holds / figures.hold_attempts if figures.hold_attempts else 0.0),
    ):
        numbers.bookings.labels(method.value).set(made)
        numbers.success.labels(method.value).set(ratio)


def forget() -> None:
    """Shows nothing any more: figures that nobody keeps up to date would be believed."""
    for labelled in (numbers.visits, numbers.visits_by_type, numbers.bookings, numbers.success):
        labelled.clear()
    for plain in (numbers.visit_minutes, numbers.continuity, numbers.match_score):
        plain.set(float("nan"))
