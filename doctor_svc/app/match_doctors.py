"""Ranks the doctors who fit a patient's wish, each with free times."""

import asyncio
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo

from chassis.clock import Clock
from chassis.context import Caller
from doctor_svc.app.access import require_may_match
from doctor_svc.app.await_revision import AwaitRevision
from doctor_svc.app.ports import Schedules
from doctor_svc.domain.errors import DoctorNotFound, DoctorUnverified, SpecialtyNotAvailable
from doctor_svc.domain.matching import Wish, has_specialty
from doctor_svc.domain.proposals import Aim, Lineup, Proposal, contender_of, lineup_of
from doctor_svc.domain.schedule import Schedule
from doctor_svc.domain.slots import Visit
from doctor_svc.domain.window import CALENDAR_YEARS, BookingPolicy, Window
from doctor_svc.domain.wish import windows_without_date, wished_window
from kernel.errors import InvalidArgument

# One call looks at no more doctors than this, so that no clinic is too large for a call.
MOST_CANDIDATES = 200
# After so many doctors other calls get their turn; each takes up to a few milliseconds.
_AT_A_STRETCH = 8


@dataclass(frozen=True, slots=True)
class MatchQuestion:
    """The wish of a patient. Date and times are meant in `zone`; `start` (aware) replaces them."""

    patient_id: str | None
    visit: Visit
    zone: tzinfo
    day: date | None = None
    earliest: time | None = None
    latest: time | None = None
    start: datetime | None = None
    specialty: str = ""
    allow_history: bool = True
    doctor_id: str | None = None
    limit: int = 10
    at_least_revision: str = ""


@dataclass(frozen=True, slots=True)
class MatchDoctors:
    """The use case. `history_counts` is the clinic's own switch, which no caller can turn on."""

    schedules: Schedules
    await_revision: AwaitRevision
    policy: BookingPolicy
    history_counts: bool
    clock: Clock

    async def __call__(self, caller: Caller, question: MatchQuestion) -> list[Proposal]:
        """The doctors who fit, the best first; a doctor who was asked for by id is told also without free times.

        Raises PermissionDenied, InvalidArgument, DoctorNotFound, DoctorUnverified, SpecialtyNotAvailable, Unavailable.
        """
        require_may_match(caller, question.patient_id, question.doctor_id)
        now = self.clock()
        aims = _aims(question, now, self.policy)
        await self.await_revision(question.at_least_revision)
        lineup = await self._lineup(question, aims[0], now)
        for aim in aims[1:]:
            if not lineup.anybody_free:
                lineup = await self._lineup(question, aim, now)
        if question.doctor_id is not None:
            return [lineup.proposal(doctor) for doctor in lineup.ranked]
        return lineup.proposals(question.limit)

    async def _lineup(self, question: MatchQuestion, aim: Aim, now: datetime) -> Lineup:
        schedules = await self._schedules(question, aim.stretch(now, self.policy))
        wish = Wish(
            specialty=question.specialty,
            allow_history=question.allow_history and self.history_counts,
            has_window=question.day is not None and question.start is None,
        )
        contenders = []
        for place, schedule in enumerate(schedules):
            if place % _AT_A_STRETCH == 0:
                await asyncio.sleep(0)
            contenders.append(contender_of(schedule, question.visit, aim, now=now, policy=self.policy))
        return lineup_of(contenders, question.visit, wish, aim)

    async def _schedules(self, question: MatchQuestion, stretch: Window) -> list[Schedule]:
        kind, patient_id, specialty = question.visit.kind, question.patient_id, question.specialty
        if question.doctor_id is not None:
            schedule = await self.schedules.of_doctor(question.doctor_id, kind, patient_id, stretch)
            return [_require_fit(schedule, specialty)]
        schedules = await self.schedules.of_specialty(specialty, kind, patient_id, stretch, MOST_CANDIDATES)
        if specialty and not schedules:
            raise SpecialtyNotAvailable(specialty)
        return schedules


def _aims(question: MatchQuestion, now: datetime, policy: BookingPolicy) -> list[Aim]:
    """Where to look first, and where next when nobody is free there."""
    if question.start is not None:
        if question.start.year not in CALENDAR_YEARS:
            raise InvalidArgument.of("start_time", "must lie between the years 1970 and 9998")
        return [Aim(Window(question.start, question.start), start=question.start)]
    window = wished_window(question.day, question.earliest, question.latest, question.zone)
    if window is not None:
        return [Aim(window)]
    return [Aim(window, earliest_first=True) for window in windows_without_date(now, policy)]


def _require_fit(schedule: Schedule | None, specialty: str) -> Schedule:
    if schedule is None or not schedule.is_active:
        raise DoctorNotFound
    if not schedule.is_verified:
        raise DoctorUnverified
    if not has_specialty(schedule.profile, specialty):
        raise SpecialtyNotAvailable(specialty)
    return schedule
