"""What the next days of a doctor hold, counted by the one generator: time offered and taken, free slots, the first."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from doctor_svc.domain.offered_time import offered_in, own_slots
from doctor_svc.domain.slots import Agenda
from kernel.civil_time import end_of_wall, instant_of

DAYS_AHEAD = 14


@dataclass(frozen=True, slots=True)
class DaySummary:
    """One day of a doctor's calendar, `ahead` days after today.

    `offered` is as in offered_time; `booked` is the time of the visits that start that day, holds and buffers
    included; `free_slots` are those of every kind that has hours of its own.
    """

    ahead: int
    day: date
    offered: timedelta
    booked: timedelta
    free_slots: int
    first_free: datetime | None


@dataclass(frozen=True, slots=True)
class Totals:
    """Minutes offered and booked, and free slots, over some days."""

    offered_minutes: int
    booked_minutes: int
    free_slots: int


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the order of summaries: the next free time, None for never and last of all, then the doctor's id."""

    next_free: datetime | None
    doctor_id: str


@dataclass(frozen=True, slots=True)
class DoctorSummary:
    """A doctor's next 7 and 14 days, today included, and the first free time in them."""

    doctor_id: str
    first_name: str
    last_name: str
    specialty: str
    timezone: str
    week: Totals
    fortnight: Totals
    next_free: datetime | None

    @property
    def position(self) -> Position:
        """The place in the order of the list."""
        return Position(self.next_free, self.doctor_id)


def next_days(agenda: Agenda) -> Iterator[DaySummary]:
    """Today and the days after it, DAYS_AHEAD in all; the agenda's busy times must hold all of them."""
    last = agenda.today + timedelta(days=DAYS_AHEAD - 1)
    for ahead, (day, found) in enumerate(own_slots(agenda, agenda.today, last)):
        firsts = [slot.start for slots in found if (slot := next(slots.free(), None)) is not None]
        yield DaySummary(
            ahead=ahead,
            day=day,
            offered=offered_in(found),
            booked=_booked(agenda, day),
            free_slots=sum(slots.free_in(agenda.bookable) for slots in found),
            first_free=min(firsts, default=None),
        )


def _booked(agenda: Agenda, day: date) -> timedelta:
    opening, closing = instant_of(day, time.min, agenda.zone), end_of_wall(day, None, agenda.zone)
    met = agenda.busy.touching(opening, closing)
    return sum((item.end - item.start for item in met if opening <= item.start < closing), timedelta())
