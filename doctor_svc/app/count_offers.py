"""Shows how much doctors offer and how much of it is booked, from the summary that is kept anyway."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chassis.clock import Clock
from doctor_svc.app import numbers
from doctor_svc.domain.summary import Totals


@dataclass(frozen=True, slots=True)
class Overview:
    """All public doctors together, as of the last refresh."""

    doctors: int
    week: Totals
    fortnight: Totals
    refresh_time: datetime | None


class Overviews(Protocol):
    """The summary as a whole."""

    async def overview(self) -> Overview:
        """All doctors together."""
        ...


@dataclass(frozen=True, slots=True)
class CountOffers:
    """The use case. Every replica shows the same."""

    summaries: Overviews
    clock: Clock

    async def __call__(self) -> None:
        """Counts once; nothing is shown before there is a summary."""
        overview = await self.summaries.overview()
        if overview.refresh_time is None:
            return
        numbers.public_doctors.set(overview.doctors)
        for days, totals in (("7", overview.week), ("14", overview.fortnight)):
            numbers.offered_minutes.labels(days).set(totals.offered_minutes)
            numbers.booked_minutes.labels(days).set(totals.booked_minutes)
            numbers.free_slots.labels(days).set(totals.free_slots)
        numbers.summary_age.set(max(0.0, (self.clock() - overview.refresh_time).total_seconds()))
