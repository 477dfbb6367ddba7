"""Tells a doctor's numbers over some days."""

import asyncio
from dataclasses import dataclass
from datetime import date, time, timedelta

from chassis.clock import Clock
from chassis.context import Caller
from doctor_svc.app.access import is_self_or_staff
from doctor_svc.app.await_revision import AwaitRevision
from doctor_svc.app.ports import Doctors, Insights, Schedules
from doctor_svc.domain.doctor import Doctor
from doctor_svc.domain.doctor_stats import Days, DoctorStats, days_asked
from doctor_svc.domain.errors import DoctorNotFound
from doctor_svc.domain.exclusion import with_hours
from doctor_svc.domain.offered_time import offered_on
from doctor_svc.domain.slots import Agenda
from doctor_svc.domain.window import BookingPolicy, stretch_of_days
from kernel.civil_time import day_of, end_of_wall, instant_of, zone_named

# After so many days other calls get their turn.
_AT_A_STRETCH = 31


@dataclass(frozen=True, slots=True)
class StatsQuestion:
    """Which days of the doctor's calendar, both included; see days_asked for those not given."""

    doctor_id: str
    first: date | None
    last: date | None
    at_least_revision: str


@dataclass(frozen=True, slots=True)
class StatsAnswer:
    """The doctor, and the numbers."""

    doctor: Doctor
    stats: DoctorStats


@dataclass(frozen=True, slots=True)
class GetDoctorStats:
    """The use case: three statements, whatever the range."""

    doctors: Doctors
    schedules: Schedules
    insights: Insights
    await_revision: AwaitRevision
    policy: BookingPolicy
    clock: Clock

    async def __call__(self, caller: Caller, question: StatsQuestion) -> StatsAnswer:
        """The numbers, for the doctor and for staff alone. Raises DoctorNotFound, InvalidArgument, Unavailable."""
        await self.await_revision(question.at_least_revision)
        doctor = await self.doctors.get(question.doctor_id) if is_self_or_staff(caller, question.doctor_id) else None
        if doctor is None:
            raise DoctorNotFound
        now, zone = self.clock(), zone_named(doctor.profile.timezone)
        days = days_asked(question.first, question.last, day_of(now, zone))
        schedule = await self.schedules.of_doctor(
            doctor.doctor_id, None, stretch_of_days(days.first, days.last, "from"), now
        )
        if schedule is None:
            raise DoctorNotFound
        offered = await _offered(with_hours(schedule).agenda(now, self.policy), days)
        tallies = await self.insights.tallies(
            doctor.doctor_id, instant_of(days.first, time.min, zone), end_of_wall(days.last, None, zone)
        )
        return StatsAnswer(doctor, DoctorStats(days, offered, tallies))


async def _offered(agenda: Agenda, days: Days) -> timedelta:
    total = timedelta()
    for place, offered in enumerate(offered_on(agenda, days.first, days.last)):
        total += offered
        if place % _AT_A_STRETCH == 0:
            await asyncio.sleep(0)
    return total
