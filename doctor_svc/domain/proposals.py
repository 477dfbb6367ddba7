"""From the schedules of the doctors in question to proposals: who comes in which order, with which times."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from doctor_svc.domain.matching import Candidate, RankedDoctor, Wish, rank
from doctor_svc.domain.offers import nearest_free, offer_at, offer_in
from doctor_svc.domain.schedule import Schedule
from doctor_svc.domain.slots import Agenda, Visit, day_slots
from doctor_svc.domain.window import BookingPolicy, Window
from kernel.civil_time import day_of, end_of_wall, instant_of
from kernel.slots import Slot

MOST_SLOTS = 32
MOST_OTHER_SLOTS = 8
# How far from a window times are still offered, and a day more because calendars differ.
REACH_DAYS = 7
_AROUND = timedelta(days=REACH_DAYS + 2)
# The day of any calendar that an instant lies in reaches no further from it.
_SAME_DAY = timedelta(days=1, hours=1)


@dataclass(frozen=True, slots=True)
class Aim:
    """Where in time to look: inside a window, or at exactly one start, which then is the window's only instant.

    `earliest_first` puts the sooner slot before the one that suits the doctor's day better. With `nothing_else`, which
    goes with an exact start, no other times are looked for.
    """

    window: Window
    start: datetime | None = None
    earliest_first: bool = False
    nothing_else: bool = False

    def stretch(self, now: datetime, policy: BookingPolicy) -> Window:
        """The time of which busy times can matter; never empty, and no longer than can be booked and a bit more."""
        around = _SAME_DAY if self.nothing_else else _AROUND
        earliest = max(self.window.earliest - around, now - timedelta(days=2))
        latest = min(self.window.latest + around, now + timedelta(days=policy.horizon_days + 3))
        return Window(earliest, max(earliest, latest))


@dataclass(frozen=True, slots=True)
class Proposal:
    """A ranked doctor with free slots inside the aim and outside it, each the best first.

    For an exact start `exact` is that slot, free or not, if it lies inside the doctor's hours, and `slots` are the free
    ones of the doctor's day, the nearest first.
    """

    ranked: RankedDoctor
    slots: tuple[Slot, ...]
    other_slots: tuple[Slot, ...]
    exact: Slot | None

    @property
    def free_count(self) -> int:
        """How many free slots the aim holds, shown or not."""
        return self.ranked.candidate.offer.free

    @property
    def has_times(self) -> bool:
        """Whether there is anything that the patient could be offered."""
        return bool(self.exact or self.slots or self.other_slots)


@dataclass(frozen=True, slots=True)
class Contender:
    """A doctor in question, with the agenda that the offer was made from."""

    agenda: Agenda
    candidate: Candidate


@dataclass(frozen=True, slots=True)
class Lineup:
    """Everyone in question, ranked for one wish and aim."""

    visit: Visit
    aim: Aim
    agendas: dict[str, Agenda]
    ranked: tuple[RankedDoctor, ...]

    @property
    def anybody_free(self) -> bool:
        """Whether a single doctor has a free slot inside the aim."""
        return any(doctor.candidate.offer.free for doctor in self.ranked)

    def proposals(self, limit: int) -> list[Proposal]:
        """At most `limit` proposals: by rank those who are free, then those who can only offer other times.

        At an exact start, whoever works then but is booked comes before whoever does not work then.
        """
        found: list[Proposal] = []
        for doctor in sorted(self.ranked, key=_what_is_on_offer):
            proposal = self.proposal(doctor)
            if proposal.has_times:
                found.append(proposal)
            if len(found) == limit:
                break
        return found

    def proposal(self, doctor: RankedDoctor) -> Proposal:
        """One doctor's proposal, perhaps without any times."""
        agenda, offer = self.agendas[doctor.candidate.profile.doctor_id], doctor.candidate.offer
        if self.aim.nothing_else:
            return Proposal(doctor, (), (), offer.exact)
        if self.aim.start is None:
            slots = offer.soonest(MOST_SLOTS) if self.aim.earliest_first else offer.best(MOST_SLOTS)
            around = self.aim.window
        else:
            slots = _nearest_of_day(agenda, self.visit, self.aim.start)
            around = _day_around(self.aim.start, agenda)
        others = nearest_free(agenda, self.visit, around, MOST_OTHER_SLOTS, REACH_DAYS)
        return Proposal(doctor, tuple(slots), tuple(others), offer.exact)


def contender_of(schedule: Schedule, visit: Visit, aim: Aim, *, now: datetime, policy: BookingPolicy) -> Contender:
    """A doctor with what is on offer at the aim: the costly part of a match, a few days' slots counted."""
    agenda = schedule.agenda(now, policy)
    offer = offer_in(agenda, visit, aim.window) if aim.start is None else offer_at(agenda, visit, aim.start)
    return Contender(agenda, Candidate(schedule.profile, schedule.previous_visits, offer))


def lineup_of(contenders: Sequence[Contender], visit: Visit, wish: Wish, aim: Aim) -> Lineup:
    """The contenders, ranked; those without the wished specialty are left out."""
    agendas = {contender.candidate.profile.doctor_id: contender.agenda for contender in contenders}
    return Lineup(visit, aim, agendas, tuple(rank((contender.candidate for contender in contenders), wish)))


def nearest_to(agenda: Agenda, visit: Visit, aim: Aim) -> Slot | None:
    """The free slot nearest to an aim and outside of it, on the same day or within REACH_DAYS; None without one."""
    if aim.start is None:
        around = aim.window
    else:
        if of_day := _nearest_of_day(agenda, visit, aim.start):
            return of_day[0]
        around = _day_around(aim.start, agenda)
    return next(iter(nearest_free(agenda, visit, around, 1, REACH_DAYS)), None)


def _what_is_on_offer(doctor: RankedDoctor) -> tuple[bool, bool]:
    offer = doctor.candidate.offer
    return offer.free == 0, offer.exact is None


def _nearest_of_day(agenda: Agenda, visit: Visit, start: datetime) -> list[Slot]:
    of_day = list(day_slots(agenda, visit, day_of(start, agenda.zone)).free())
    of_day.sort(key=lambda slot: (abs(slot.start - start), slot.start))
    return of_day[:MOST_SLOTS]


def _day_around(start: datetime, agenda: Agenda) -> Window:
    day = day_of(start, agenda.zone)
    return Window(instant_of(day, time.min, agenda.zone), end_of_wall(day, None, agenda.zone) - datetime.resolution)
