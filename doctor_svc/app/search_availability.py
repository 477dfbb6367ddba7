"""Tells who is free on a day, across doctors, the earliest first."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from itertools import islice
from operator import itemgetter

from chassis.clock import Clock
from chassis.paging import page_length
from doctor_svc.app.await_revision import AwaitRevision
from doctor_svc.app.ports import Schedules
from doctor_svc.domain.demands import Demands
from doctor_svc.domain.matching import DoctorProfile
from doctor_svc.domain.offers import days_in
from doctor_svc.domain.slots import DaySlots, Visit
from doctor_svc.domain.window import BookingPolicy, Window
from doctor_svc.domain.wish import wished_window
from kernel.slots import Slot

MOST_DOCTORS = 1000
MOST_SLOTS_EACH = 32
# After so many doctors other calls get their turn.
_AT_A_STRETCH = 16
_A_DAY = timedelta(days=1)
Position = tuple[datetime, str]


@dataclass(frozen=True, slots=True)
class SearchQuestion:
    """A day of the calendar of `zone`, a visit, what a doctor must have, and the doctor after whom the page begins."""

    day: date
    zone: tzinfo
    visit: Visit
    specialty: str
    after: Position | None
    page_size: int
    at_least_revision: str


@dataclass(frozen=True, slots=True)
class FreeDoctor:
    """A doctor with the first free slots of the day, and how many there are."""

    profile: DoctorProfile
    slots: tuple[Slot, ...]
    free: int

    @property
    def position(self) -> Position:
        """The place in the order of the answer."""
        return self.slots[0].start, self.profile.doctor_id


@dataclass(frozen=True, slots=True)
class SearchPage:
    """Some doctors by their first free slot, and after whom the next page begins; None on the last."""

    doctors: Sequence[FreeDoctor]
    next: Position | None


@dataclass(frozen=True, slots=True)
class SearchAvailability:
    """The use case. One statement reads everyone in question; the order needs everyone's first slot."""

    schedules: Schedules
    await_revision: AwaitRevision
    policy: BookingPolicy
    clock: Clock

    async def __call__(self, question: SearchQuestion) -> SearchPage:
        """One page. Raises InvalidArgument, Unavailable."""
        length = page_length(question.page_size)
        window = wished_window(question.day, None, None, question.zone)
        if window is None:
            raise TypeError("a search is for a day")
        await self.await_revision(question.at_least_revision)
        now = self.clock()
        found = await self.schedules.who_meet(
            Demands(specialty=question.specialty), None, _whole_days(window), MOST_DOCTORS, now=now
        )
        # Of who is not on the page no more is worked out than when their first slot starts.
        free: list[tuple[Position, DoctorProfile, tuple[DaySlots, ...]]] = []
        for place, schedule in enumerate(found):
            if place % _AT_A_STRETCH == 0:
                await asyncio.sleep(0)
            days = days_in(schedule.agenda(now, self.policy), question.visit, window)
            start = next((start for day in days if (start := day.first_free(window)) is not None), None)
            if start is not None:
                free.append(((start, schedule.profile.doctor_id), schedule.profile, days))
        free.sort(key=itemgetter(0))
        left = [one for one in free if question.after is None or one[0] > question.after]
        page = [_free_doctor(profile, days, window) for _, profile, days in left[:length]]
        return SearchPage(page, page[-1].position if len(left) > length else None)


def _free_doctor(profile: DoctorProfile, days: Sequence[DaySlots], window: Window) -> FreeDoctor:
    slots = (slot for day in days for slot in day.free(window))
    return FreeDoctor(profile, tuple(islice(slots, MOST_SLOTS_EACH)), sum(day.free_in(window) for day in days))


def _whole_days(window: Window) -> Window:
    """The window and the rest of the days that it touches in any doctor's calendar: visits are counted by days."""
    return Window(window.earliest - _A_DAY, window.latest + _A_DAY)
