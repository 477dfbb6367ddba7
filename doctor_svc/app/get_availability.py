"""Tells the free slots of one doctor on one day."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from operator import attrgetter

from chassis.clock import Clock
from chassis.context import Caller
from doctor_svc.app.access import is_self_or_staff
from doctor_svc.app.await_revision import AwaitRevision
from doctor_svc.app.ports import Schedules
from doctor_svc.domain.errors import DoctorNotFound
from doctor_svc.domain.matching import DoctorProfile
from doctor_svc.domain.slots import Visit, day_slots, kinds_on, morning_and_afternoon
from doctor_svc.domain.window import CALENDAR_YEARS, BookingPolicy, Window
from kernel.appointment_types import AppointmentType
from kernel.errors import InvalidArgument
from kernel.slots import Slot

# No zone is further than this from UTC, so a day of any calendar lies within its UTC day and this much around it.
_FURTHEST_ZONE = timedelta(hours=15)


@dataclass(frozen=True, slots=True)
class DayQuestion:
    """Which day of which doctor. Without a kind every kind is meant, without a duration that of the rule."""

    doctor_id: str
    day: date
    kind: AppointmentType | None = None
    duration: timedelta | None = None
    at_least_revision: str = ""


@dataclass(frozen=True, slots=True)
class DayAnswer:
    """The doctor, and the free slots that start before noon of the doctor's day and from noon on, in order."""

    profile: DoctorProfile
    morning: tuple[Slot, ...]
    afternoon: tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class GetAvailability:
    """The use case."""

    schedules: Schedules
    await_revision: AwaitRevision
    policy: BookingPolicy
    clock: Clock

    async def __call__(self, caller: Caller, question: DayQuestion) -> DayAnswer:
        """The free slots; none on days that cannot be booked. Raises DoctorNotFound, InvalidArgument, Unavailable."""
        stretch = _stretch_of(question.day)
        await self.await_revision(question.at_least_revision)
        schedule = await self.schedules.of_doctor(question.doctor_id, question.kind, None, stretch)
        if schedule is None or not (schedule.is_public or is_self_or_staff(caller, question.doctor_id)):
            raise DoctorNotFound
        agenda = schedule.agenda(self.clock(), self.policy)
        kinds = (question.kind,) if question.kind is not None else kinds_on(agenda, question.day)
        slots = [
            slot for kind in kinds for slot in day_slots(agenda, Visit(kind, question.duration), question.day).free()
        ]
        slots.sort(key=attrgetter("start"))
        morning, afternoon = morning_and_afternoon(slots, question.day, agenda.zone)
        return DayAnswer(schedule.profile, morning, afternoon)


def _stretch_of(day: date) -> Window:
    """The instants that can belong to a day of any zone's calendar."""
    if day.year not in CALENDAR_YEARS:
        raise InvalidArgument.of("date", "must be a date from 1970-01-01 to 9998-12-31")
    midnight = datetime.combine(day, time.min, UTC)
    return Window(midnight - _FURTHEST_ZONE, midnight + timedelta(days=1) + _FURTHEST_ZONE)
