"""Tells the free slots of one doctor on one day."""

from dataclasses import dataclass
from datetime import date, timedelta

from chassis.clock import Clock
from chassis.context import Caller
from doctor_svc.app.access import is_self_or_staff
from doctor_svc.app.await_revision import AwaitRevision
from doctor_svc.app.ports import Schedules
from doctor_svc.domain.diary import slots_of_day
from doctor_svc.domain.errors import DoctorNotFound
from doctor_svc.domain.matching import DoctorProfile
from doctor_svc.domain.slots import morning_and_afternoon
from doctor_svc.domain.window import BookingPolicy, stretch_of_days
from kernel.appointment_types import AppointmentType
from kernel.slots import Slot


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
        stretch = stretch_of_days(question.day, question.day, "date")
        await self.await_revision(question.at_least_revision)
        now = self.clock()
        schedule = await self.schedules.of_doctor(question.doctor_id, None, stretch, now)
        if schedule is None or not (schedule.is_public or is_self_or_staff(caller, question.doctor_id)):
            raise DoctorNotFound
        agenda = schedule.agenda(now, self.policy)
        slots = slots_of_day(agenda, question.day, question.kind, question.duration)
        morning, afternoon = morning_and_afternoon(slots, question.day, agenda.zone)
        return DayAnswer(schedule.profile, morning, afternoon)
