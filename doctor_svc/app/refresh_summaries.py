"""Counts the next days of every public doctor anew, by one replica at a time."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chassis.background import periodically
from chassis.clock import Clock
from doctor_svc.app.ports import Schedules, SummaryRefreshes
from doctor_svc.domain.summary import DAYS_AHEAD, DaySummary, next_days
from doctor_svc.domain.window import BookingPolicy, Window

# So many doctors are read in one statement, and after so many counted other calls get their turn.
_AT_ONCE = 100
_AT_A_STRETCH = 2
# Today began at most a day ago, and the last of the days ends at most a day later in any zone.
_A_DAY = timedelta(days=1)
# How often a replica looks whether a refresh is due, as a part of the time between two.
_LOOKS = 4


@dataclass(frozen=True, slots=True)
class RefreshSummaries:
    """The use case. `period` is the time from one refresh to the next, whichever replica makes it."""

    refreshes: SummaryRefreshes
    schedules: Schedules
    policy: BookingPolicy
    clock: Clock
    period: timedelta

    async def __call__(self) -> int | None:
        """How many doctors were counted; None when nothing was due, or another replica is at it."""
        now = self.clock()
        async with self.refreshes.turn() as refresh:
            if refresh is None or not self._is_due(await refresh.last(), now):
                return None
            counted, after = 0, None
            while doctor_ids := await refresh.public_doctors(after, _AT_ONCE):
                await refresh.put(await self._count(doctor_ids, now), now)
                counted, after = counted + len(doctor_ids), doctor_ids[-1]
            await refresh.finish(now)
            return counted

    async def run(self) -> None:
        """Refreshes whenever it is due, for ever."""
        await periodically(self.period.total_seconds() / _LOOKS, self)

    def _is_due(self, last: datetime | None, now: datetime) -> bool:
        # A clock that was set back makes the last refresh one of the future, and that is due too.
        return last is None or abs(now - last) >= self.period

    async def _count(self, doctor_ids: Sequence[str], now: datetime) -> list[tuple[str, DaySummary]]:
        stretch = Window(now - 2 * _A_DAY, now + (DAYS_AHEAD + 1) * _A_DAY)
        found = []
        for place, schedule in enumerate(await self.schedules.of_doctors(doctor_ids, stretch, now)):
            if place % _AT_A_STRETCH == 0:
                await asyncio.sleep(0)
            agenda = schedule.agenda(now, self.policy)
            found += [(schedule.profile.doctor_id, day) for day in next_days(agenda)]
        return found
