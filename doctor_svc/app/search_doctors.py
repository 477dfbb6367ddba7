"""Finds doctors by words and attributes, and of those, where a day is asked for, the ones who are free on it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from chassis.clock import Clock
from chassis.context import Caller
from chassis.paging import page_length
from doctor_svc.app.ports import DoctorSearch, Schedules
from doctor_svc.domain.diary import is_free_on
from doctor_svc.domain.doctor import Doctor
from doctor_svc.domain.search import Hit, Position, SearchWish
from doctor_svc.domain.window import BookingPolicy, stretch_of_days
from kernel.appointment_types import AppointmentType
from kernel.errors import PermissionDenied

LARGEST_PAGE = 100
USUAL_PAGE = 20
# For a page of those who are free on a day: after a first look, so many doctors are read at once, and at most so often;
# the page then ends where they do. So no search is too long for a call, however few are free.
_AT_ONCE = 100
_MOST_ROUNDS = 5
# After so many doctors other calls get their turn.
_AT_A_STRETCH = 16
# Calendars differ from UTC by less than this.
_A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SearchPage:
    """Some of the found, in order, and where the next page begins; None after the last."""

    doctors: Sequence[Doctor]
    next: Position | None


@dataclass(frozen=True, slots=True)
class SearchDoctors:
    """The use case: one statement, or for those free on a day two for every _AT_ONCE doctors looked at."""

    search: DoctorSearch
    schedules: Schedules
    policy: BookingPolicy
    clock: Clock

    async def __call__(self, caller: Caller, wish: SearchWish, after: Position | None, page_size: int) -> SearchPage:
        """One page. Raises InvalidArgument, and PermissionDenied when others than staff ask for hidden doctors."""
        size = page_length(page_size, largest=LARGEST_PAGE, usual=USUAL_PAGE)
        if not (wish.is_public or caller.is_staff):
            raise PermissionDenied("doctors who are not verified or not active are told to administrators alone")
        if wish.available_on is not None:
            return await self._page_of_free(wish, wish.available_on, after, size)
        hits = await self.search.page(wish, after, size + 1)
        following = hits[size - 1].position if len(hits) > size else None
        return SearchPage([hit.doctor for hit in hits[:size]], following)

    async def _page_of_free(self, wish: SearchWish, day: date, after: Position | None, size: int) -> SearchPage:
        """A page that may be short, and have a next one all the same."""
        now = self.clock()
        if not self._can_be_booked(day, now.date()):
            return SearchPage([], None)
        found: list[Hit] = []
        # Where most are free, a page and one more will do.
        limit = size + 1
        for _ in range(_MOST_ROUNDS):
            hits = await self.search.page(wish, after, limit)
            found += await self._free(hits, wish.kind, day, now)
            if len(found) > size:
                return SearchPage([hit.doctor for hit in found[:size]], found[size - 1].position)
            after = hits[-1].position if len(hits) == limit else None
            if after is None:
                break
            limit = _AT_ONCE
        return SearchPage([hit.doctor for hit in found], after)

    def _can_be_booked(self, day: date, today: date) -> bool:
        """Whether a day lies within the horizon of any zone; otherwise nobody need be looked at."""
        return today - _A_DAY <= day <= today + (self.policy.horizon_days + 1) * _A_DAY

    async def _free(self, hits: Sequence[Hit], kind: AppointmentType | None, day: date, now: datetime) -> list[Hit]:
        """Those of the found who have a free slot that day."""
        stretch = stretch_of_days(day, day, "available_on")
        free: set[str] = set()
        schedules = await self.schedules.of_doctors([hit.doctor.doctor_id for hit in hits], stretch, now)
        for place, schedule in enumerate(schedules):
            if place % _AT_A_STRETCH == 0:
                await asyncio.sleep(0)
            if is_free_on(schedule.agenda(now, self.policy), day, kind):
                free.add(schedule.profile.doctor_id)
        return [hit for hit in hits if hit.doctor.doctor_id in free]
