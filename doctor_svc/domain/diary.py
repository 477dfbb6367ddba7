"""Free slots of a doctor over some days, of one kind or of all: what every list of times is made from."""

from collections.abc import Iterator
from datetime import date, timedelta
from operator import attrgetter

from doctor_svc.domain.slots import Agenda, Visit, day_slots, kinds_on
from kernel.appointment_types import AppointmentType
from kernel.errors import InvalidArgument
from kernel.slots import Slot

MOST_DAYS = 31
_A_DAY = timedelta(days=1)


def slots_of_day(agenda: Agenda, day: date, kind: AppointmentType | None, duration: timedelta | None) -> list[Slot]:
    """The free slots of a day of the doctor's calendar, by start, then by kind.

    Without a kind, those of every kind that has a rule of its own or extra hours that day; without a duration, visits
    are as long as their rule says.
    """
    kinds = (kind,) if kind is not None else kinds_on(agenda, day)
    slots = [slot for one in kinds for slot in day_slots(agenda, Visit(one, duration), day).free()]
    slots.sort(key=attrgetter("start"))  # stable: kinds stay in the order of the vocabulary
    return slots


def is_free_on(agenda: Agenda, day: date, kind: AppointmentType | None) -> bool:
    """Whether a day has a free slot of a kind; without one, whether slots_of_day finds any."""
    kinds = (kind,) if kind is not None else kinds_on(agenda, day)
    return any(day_slots(agenda, Visit(one), day).free_in(agenda.bookable) for one in kinds)


def slots_between(
    agenda: Agenda, first: date, last: date, kind: AppointmentType | None, duration: timedelta | None
) -> Iterator[list[Slot]]:
    """The free slots of each day from the first to the last, both included; no slot leaves its day."""
    for ahead in range((last - first).days + 1):
        yield slots_of_day(agenda, first + ahead * _A_DAY, kind, duration)


def require_days(first: date, last: date) -> None:
    """Accepts a range of days. Raises InvalidArgument for `to`."""
    if last < first:
        raise InvalidArgument.of("to", "must not be before from")
    if (last - first).days >= MOST_DAYS:
        raise InvalidArgument.of("to", f"must be at most {MOST_DAYS - 1} days after from")
