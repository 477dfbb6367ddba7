"""What one doctor has to offer in a window of time: counts first, slots on demand, and the nearest times outside."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice

from doctor_svc.domain.slots import Agenda, DaySlots, Visit, exact_slot, slots_under
from doctor_svc.domain.window import CALENDAR_YEARS, Window
from kernel.civil_time import day_of, end_of_wall, instant_of
from kernel.slots import Slot

_A_DAY = timedelta(days=1)
_A_MOMENT = datetime.resolution


@dataclass(frozen=True, slots=True)
class Offer:
    """One doctor's slots in a window.

    `free` of `total` slots can be booked; `booked_that_day` visits start on the days that the window touches, in the
    doctor's calendar. `exact` is set when one exact start was asked for and lies inside the doctor's hours; the offer
    is then that one slot, whether it is free or not.
    """

    window: Window
    free: int
    total: int
    booked_that_day: int
    days: tuple[DaySlots, ...] = ()
    exact: Slot | None = None

    def best(self, limit: int | None = None) -> list[Slot]:
        """The free slots by priority, then by start: what suits the doctor's day best comes first."""
        return sorted(self._free_slots(), key=lambda slot: (slot.priority, slot.start))[:limit]

    def soonest(self, limit: int | None = None) -> list[Slot]:
        """The free slots by start, for a patient who asked for the earliest."""
        return list(islice(self._free_slots(), limit))

    def _free_slots(self) -> Iterator[Slot]:
        if self.exact is not None and self.free:
            yield self.exact
        for day in self.days:
            yield from day.free(self.window)


def days_in(agenda: Agenda, visit: Visit, window: Window) -> tuple[DaySlots, ...]:
    """The days of the doctor's calendar that a window touches, as far as they can be booked, each with its slots."""
    hours = agenda.hours(visit.kind)
    return tuple(slots_under(agenda, hours, visit, day) for day in _days(agenda, window))


def offer_in(agenda: Agenda, visit: Visit, window: Window) -> Offer:
    """What a doctor offers for a visit that starts inside a window. Too-soon slots count in the total, not as free."""
    days = days_in(agenda, visit, window)
    return Offer(
        window=window,
        free=sum(day.free_in(window) for day in days),
        total=sum(day.total_in(window) for day in days),
        booked_that_day=_booked(agenda, [day.day for day in days]),
        days=days,
    )


def offer_at(agenda: Agenda, visit: Visit, start: datetime) -> Offer:
    """What a doctor offers for a visit at exactly that start: one slot or none, on or off the grid."""
    window = Window(start, start)
    booked = _booked(agenda, _days(agenda, window))
    slot = exact_slot(agenda, visit, start)
    if slot is None:
        return Offer(window, free=0, total=0, booked_that_day=booked)
    admitted = agenda.busy.admits(slot.kind, slot.start, slot.end + slot.buffer, slot.capacity)
    has_room = admitted and not agenda.is_full(day_of(slot.start, agenda.zone))
    return Offer(
        window=window,
        free=int(has_room and slot.start in agenda.bookable),
        total=1,
        booked_that_day=booked,
        exact=slot,
    )


def nearest_free(agenda: Agenda, visit: Visit, window: Window, limit: int, reach_days: int = 7) -> list[Slot]:
    """At most `limit` free slots outside a window, the nearest first, none further away than `reach_days`.

    Goes outwards day by day and stops as soon as it has enough. The window must not be empty.
    """
    if not _is_within_calendar(window):
        return []
    hours = agenda.hours(visit.kind)
    found: list[Slot] = []
    for ring in range(reach_days):
        for side in _both_sides(window, ring * _A_DAY):
            for day in _days(agenda, side):
                found.extend(slots_under(agenda, hours, visit, day).free(side))
        if len(found) >= limit:
            break
    found.sort(key=lambda slot: (_distance(slot.start, window), slot.priority, slot.start))
    return found[:limit]


def _both_sides(window: Window, away: timedelta) -> tuple[Window, Window]:
    """The day before a window and the day after it, `away` from its ends."""
    before, after = window.earliest - away, window.latest + away
    return Window(before - _A_DAY, before - _A_MOMENT), Window(after + _A_MOMENT, after + _A_DAY)


def _distance(start: datetime, window: Window) -> timedelta:
    return window.earliest - start if start < window.earliest else start - window.latest


def _is_within_calendar(window: Window) -> bool:
    return window.earliest.year in CALENDAR_YEARS and window.latest.year in CALENDAR_YEARS


def _days(agenda: Agenda, window: Window) -> Iterable[date]:
    """The days of the doctor's calendar that a window touches, as far as they can be booked."""
    if not _is_within_calendar(window):
        return ()
    first = max(day_of(window.earliest, agenda.zone), agenda.today)
    last = min(day_of(window.latest, agenda.zone), agenda.last_day)
    return [first + ahead * _A_DAY for ahead in range((last - first).days + 1)]


def _booked(agenda: Agenda, days: Iterable[date]) -> int:
    in_order = list(days)
    if not in_order:
        return 0
    opening = instant_of(in_order[0], datetime.min.time(), agenda.zone)
    return agenda.busy.starting_in(opening, end_of_wall(in_order[-1], None, agenda.zone))
