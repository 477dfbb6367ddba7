"""A doctor's numbers over some days: how much of the offered time was booked, and what became of the visits."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from doctor_svc.domain.window import CALENDAR_YEARS
from kernel.appointment_status import AppointmentStatus
from kernel.errors import InvalidArgument

MOST_DAYS = 366
_USUAL_DAYS = 30
_MINUTE = timedelta(minutes=1)
# The states in which a visit has taken the doctor's time from others. A patient who never came has, too; a hold is no
# visit yet, and what was cancelled or ran out has given the time back.
BOOKED = frozenset(
    {
        AppointmentStatus.PENDING,
        AppointmentStatus.CONFIRMED,
        AppointmentStatus.IN_PROGRESS,
        AppointmentStatus.COMPLETED,
        AppointmentStatus.NO_SHOW,
    }
)


@dataclass(frozen=True, slots=True)
class Tally:
    """The visits of one doctor in one state. `occupied` is their time, the buffers included.

    Of completed visits, `returning` are those of patients who had completed a visit before, with whomever, and
    `continued` those who had with this doctor.
    """

    visits: int = 0
    occupied: timedelta = timedelta()
    returning: int = 0
    continued: int = 0


_NONE = Tally()


@dataclass(frozen=True, slots=True)
class Days:
    """Days of a doctor's calendar, both included."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class DoctorStats:
    """The visits that start on some days, by state, and the time offered on them."""

    days: Days
    offered: timedelta
    tallies: Mapping[AppointmentStatus, Tally]

    def count(self, status: AppointmentStatus) -> int:
        """How many visits stand in a state."""
        return self.tallies.get(status, _NONE).visits

    @property
    def booked(self) -> timedelta:
        """The time taken by visits in a state of BOOKED, the buffers included."""
        return sum((tally.occupied for status, tally in self.tallies.items() if status in BOOKED), timedelta())

    @property
    def utilisation(self) -> float | None:
        """Booked ÷ offered time; None when none was offered.

        Above 1 when visits stand where hours no longer are: taken away later, or overridden by staff.
        """
        return _share(self.booked // _MINUTE, self.offered // _MINUTE)

    @property
    def continuity_rate(self) -> float | None:
        """Completed visits with a patient seen before ÷ those that could have been: of patients not new to the clinic.

        None without such visits.
        """
        completed = self.tallies.get(AppointmentStatus.COMPLETED, _NONE)
        return _share(completed.continued, completed.returning)

    @property
    def completion_rate(self) -> float | None:
        """Completed ÷ completed, missed and cancelled visits; None without any."""
        completed = self.count(AppointmentStatus.COMPLETED)
        missed, cancelled = self.count(AppointmentStatus.NO_SHOW), self.count(AppointmentStatus.CANCELLED)
        return _share(completed, completed + missed + cancelled)

    @property
    def no_show_rate(self) -> float | None:
        """Missed ÷ completed and missed visits; None without any."""
        missed = self.count(AppointmentStatus.NO_SHOW)
        return _share(missed, self.count(AppointmentStatus.COMPLETED) + missed)


def days_asked(first: date | None, last: date | None, today: date) -> Days:
    """The days meant, of the doctor's calendar; without `last` until today, without `first` the 30 days until `last`.

    Raises InvalidArgument for `from` or `to`.
    """
    for field, day in (("from", first), ("to", last)):
        if day is not None and day.year not in CALENDAR_YEARS:
            raise InvalidArgument.of(field, "must be a date from 1970-01-01 to 9998-12-31")
    end = last or today
    begin = first or end - timedelta(days=_USUAL_DAYS - 1)
    if end < begin:
        raise InvalidArgument.of("to", "must not be before from; it is today when not given")
    if (end - begin).days >= MOST_DAYS:
        raise InvalidArgument.of("to", f"must be at most {MOST_DAYS - 1} days after from; it is today when not given")
    return Days(begin, end)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
