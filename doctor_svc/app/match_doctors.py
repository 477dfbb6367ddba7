"""Ranks the doctors who fit a patient's wish, each with free times."""

import asyncio
from dataclasses import dataclass, replace
from datetime import date, datetime, time, tzinfo

from chassis.clock import Clock
from chassis.context import Caller
from doctor_svc.app.access import is_self_or_staff, require_may_match
from doctor_svc.app.await_revision import AwaitRevision
from doctor_svc.app.ports import Schedules
from doctor_svc.domain.demands import NO_DEMANDS, Demands
from doctor_svc.domain.errors import DoctorNotFound
from doctor_svc.domain.exclusion import Exclusion, Search, exclusion_of, in_order, meets, with_hours
from doctor_svc.domain.matching import Wish, has_specialty
from doctor_svc.domain.proposals import Aim, Contender, Lineup, Proposal, contender_of, lineup_of
from doctor_svc.domain.schedule import Schedule
from doctor_svc.domain.slots import Visit
from doctor_svc.domain.window import CALENDAR_YEARS, BookingPolicy, Window
from doctor_svc.domain.wish import windows_without_date, wished_window
from kernel.doctor_refusals import DoctorUnverified, SpecialtyNotAvailable
from kernel.errors import InvalidArgument

# One call looks at no more doctors than this, so that no clinic is too large for a call; at fewer when it is to explain
# who is left out, because that costs more for each.
MOST_CANDIDATES = 500
MOST_EXPLAINED = 400
# After so many doctors other calls get their turn; each takes up to a few milliseconds.
_AT_A_STRETCH = 8


@dataclass(frozen=True, slots=True)
class MatchQuestion:
    """The wish of a patient. Date and times are meant in `zone`; `start` (aware) replaces them.

    `exact_only`: where somebody is free at `start`, no other times are wanted.
    """

    patient_id: str | None
    visit: Visit
    zone: tzinfo
    day: date | None = None
    earliest: time | None = None
    latest: time | None = None
    start: datetime | None = None
    exact_only: bool = False
    demands: Demands = NO_DEMANDS
    allow_history: bool = True
    doctor_id: str | None = None
    limit: int = 10
    explain: bool = False
    at_least_revision: str = ""


@dataclass(frozen=True, slots=True)
class MatchAnswer:
    """The doctors who fit, the best first, and, where that was asked, who cannot be booked as wished."""

    proposals: list[Proposal]
    excluded: list[Exclusion]


@dataclass(frozen=True, slots=True)
class MatchDoctors:
    """The use case. `history_counts` is the clinic's own switch, which no caller can turn on."""

    schedules: Schedules
    await_revision: AwaitRevision
    policy: BookingPolicy
    history_counts: bool
    clock: Clock

    async def __call__(self, caller: Caller, question: MatchQuestion) -> MatchAnswer:
        """Who fits and who does not; a doctor who was asked for by id is told also without free times.

        Raises PermissionDenied, InvalidArgument, DoctorNotFound, DoctorUnverified, SpecialtyNotAvailable, Unavailable.
        """
        require_may_match(caller, question.patient_id, question.doctor_id)
        now = self.clock()
        aims = _aims(question, now, self.policy)
        await self.await_revision(question.at_least_revision)
        field = await self._field(caller, question, aims[0], now)
        for aim in aims[1:]:
            if not field.lineup.anybody_free:
                field = await self._field(caller, question, aim, now)
        return MatchAnswer(_proposals(field.lineup, question), await _explained(field, question))

    async def _field(self, caller: Caller, question: MatchQuestion, aim: Aim, now: datetime) -> "_Field":
        schedules = await self._schedules(caller, question, aim.stretch(now, self.policy), now)
        demands = question.demands
        wish = Wish(
            specialty=demands.specialty,
            allow_history=question.allow_history and self.history_counts,
            has_window=question.day is not None and question.start is None,
        )
        looked_at = []
        for place, schedule in enumerate(schedules):
            if place % _AT_A_STRETCH == 0:
                await asyncio.sleep(0)
            looked_at.append(
                (schedule, contender_of(with_hours(schedule), question.visit, aim, now=now, policy=self.policy))
            )
        fitting = [contender for schedule, contender in looked_at if meets(schedule, demands)][:MOST_CANDIDATES]
        return _Field(lineup_of(fitting, question.visit, wish, aim), looked_at)

    async def _schedules(
        self, caller: Caller, question: MatchQuestion, stretch: Window, now: datetime
    ) -> list[Schedule]:
        patient_id, demands = question.patient_id, question.demands
        if question.doctor_id is not None:
            schedule = await self.schedules.of_doctor(question.doctor_id, patient_id, stretch, now)
            return [_require_known(schedule, caller, question)]
        if question.explain:
            everyone = await self.schedules.who_meet(
                demands, patient_id, stretch, MOST_EXPLAINED, now=now, everyone=True
            )
            return [one for one in everyone if one.is_public or is_self_or_staff(caller, one.profile.doctor_id)]
        schedules = await self.schedules.who_meet(demands, patient_id, stretch, MOST_CANDIDATES, now=now)
        if demands.specialty and not demands.more_than_specialty and not schedules:
            raise SpecialtyNotAvailable(demands.specialty)
        return schedules


@dataclass(frozen=True, slots=True)
class _Field:
    """Everyone who was looked at, and those of them who meet the demands, ranked."""

    lineup: Lineup
    looked_at: list[tuple[Schedule, Contender]]


def _proposals(lineup: Lineup, question: MatchQuestion) -> list[Proposal]:
    if question.doctor_id is not None:
        return [lineup.proposal(doctor) for doctor in lineup.ranked]
    return lineup.proposals(question.limit)


async def _explained(field: _Field, question: MatchQuestion) -> list[Exclusion]:
    if not question.explain:
        return []
    search = Search(question.visit, question.demands, field.lineup.aim)
    found = []
    for place, (schedule, contender) in enumerate(field.looked_at):
        if place % _AT_A_STRETCH == 0:
            await asyncio.sleep(0)
        exclusion = exclusion_of(schedule, contender, search, question.zone)
        if exclusion is not None:
            found.append(exclusion)
    return in_order(found)


def _aims(question: MatchQuestion, now: datetime, policy: BookingPolicy) -> list[Aim]:
    """Where to look first, and where next when nobody is free there."""
    if question.start is not None:
        if question.start.year not in CALENDAR_YEARS:
            raise InvalidArgument.of("start_time", "must lie between the years 1970 and 9998")
        aim = Aim(Window(question.start, question.start), start=question.start)
        return [replace(aim, nothing_else=True), aim] if question.exact_only and not question.explain else [aim]
    window = wished_window(question.day, question.earliest, question.latest, question.zone)
    if window is not None:
        return [Aim(window)]
    return [Aim(window, earliest_first=True) for window in windows_without_date(now, policy)]


def _require_known(schedule: Schedule | None, caller: Caller, question: MatchQuestion) -> Schedule:
    """The doctor who was asked for by id, unless nothing at all may be told of that one.

    To whoever may know, an explanation tells more than a refusal would.
    """
    if schedule is None:
        raise DoctorNotFound
    if question.explain and (schedule.is_public or is_self_or_staff(caller, schedule.profile.doctor_id)):
        return schedule
    if not schedule.is_active:
        raise DoctorNotFound
    if not schedule.is_verified:
        raise DoctorUnverified
    if not has_specialty(schedule.profile, question.demands.specialty):
        raise SpecialtyNotAvailable(question.demands.specialty)
    return schedule
