"""How much time a doctor offers on a day, whatever of it is booked."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise

from doctor_svc.domain.hours import Hours
from doctor_svc.domain.slots import Agenda, DaySlots, Visit, kinds_on, slots_under
from kernel.appointment_types import AppointmentType

# `[start, end)` in UTC, and how many patients may share it.
Seats = tuple[datetime, datetime, int]


def offered_on(agenda: Agenda, first: date, last: date) -> Iterator[timedelta]:
    """The time offered on each day of the doctor's calendar from the first to the last, both included.

    That is the time of every slot and of the buffer after it, as the one generator cuts them: of all kinds that have
    hours of their own, which may share time. A moment counts once for each patient who may share it, by the kind that
    takes the most. Rules and overrides count as they are now; notice, horizon, daily maximum and visits do not.
    """
    for _, of_day in own_slots(agenda, first, last):
        yield offered_in(of_day)


def own_slots(agenda: Agenda, first: date, last: date) -> Iterator[tuple[date, list[DaySlots]]]:
    """The slots of each day, of every kind that has hours of its own then, whether the day can be booked or not."""
    unlimited = replace(agenda, today=first, last_day=last)
    hours: dict[AppointmentType, Hours] = {}
    for ahead in range((last - first).days + 1):
        day = first + timedelta(days=ahead)
        kinds = kinds_on(agenda, day)
        hours |= {kind: agenda.hours(kind) for kind in kinds if kind not in hours}
        yield day, [slots_under(unlimited, hours[kind], Visit(kind), day) for kind in kinds]


def offered_in(of_day: Iterable[DaySlots]) -> timedelta:
    """The time that the slots of one day offer, of all kinds together."""
    return seat_time([seats for slots in of_day for seats in _seats(slots)])


def seat_time(stretches: Sequence[Seats]) -> timedelta:
    """The sum over all moments of the most seats that a stretch has there."""
    marks = sorted({mark for start, end, _ in stretches for mark in (start, end)})
    total = timedelta()
    for since, until in pairwise(marks):
        total += (until - since) * max((seats for start, end, seats in stretches if start <= since < end), default=0)
    return total


def _seats(day: DaySlots) -> Iterator[Seats]:
    return ((grid.start, grid.start + grid.count * grid.step, grid.capacity) for grid in day.grids if grid.count)
