"""What the doctor service offers for a wish, and the order in which the ledger is asked."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from appointment_svc.domain.diary import Diary
from kernel.appointment_types import AppointmentType, default_buffer
from kernel.civil_time import day_of
from kernel.slots import AlternativeSlot, Slot, SlotPriority

MAX_ALTERNATIVES = 6
_ALTERNATIVES_OF_ONE_DOCTOR = 3


@dataclass(frozen=True, slots=True)
class Offer:
    """One doctor who fits, the best first among offers.

    `slots` lie in the window asked for and `others` outside; `exact` is the very time asked for when the doctor
    works then, booked or not. A maximum of 0 is none; `policy_version` is that of the weights behind the score.
    `has_more_slots`: more are free in the window than `slots` has room for.
    """

    doctor_id: str
    first_name: str
    last_name: str
    zone: ZoneInfo
    match_score: float
    reasons: tuple[str, ...]
    is_preferred: bool
    slots: tuple[Slot, ...]
    others: tuple[Slot, ...]
    exact: Slot | None
    requires_approval: bool = False
    max_daily_appointments: int = 0
    policy_version: int = 0
    has_more_slots: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """A doctor and a time to try to book."""

    offer: Offer
    slot: Slot

    @property
    def day(self) -> date:
        """The day that the visit counts for: that of its start in the doctor's calendar."""
        return day_of(self.slot.start, self.offer.zone)


def candidates_in_window(offers: Sequence[Offer]) -> list[Candidate]:
    """Every free time in the window, doctor by doctor in rank order."""
    return [Candidate(offer, slot) for offer in offers for slot in offer.slots]


def candidates_outside(offers: Sequence[Offer]) -> list[Candidate]:
    """Every free time outside the window, doctor by doctor in rank order."""
    return [Candidate(offer, slot) for offer in offers for slot in offer.others]


def candidates_exactly(offers: Sequence[Offer]) -> list[Candidate]:
    """The time asked for, with each doctor who works then."""
    return [Candidate(offer, offer.exact) for offer in offers if offer.exact is not None]


def alternatives(
    offers: Sequence[Offer], taken: Candidate | None = None, *, diary: Diary | None = None, daily_limit: int = 0
) -> tuple[AlternativeSlot, ...]:
    """Up to six other times in rank order, at most three of one doctor; none overlaps the one taken.

    With a diary, only times that the ledger would book for the patient, in place of the one taken.
    """
    everything = [*candidates_in_window(offers), *candidates_outside(offers)]
    free = (c for c in everything if taken is None or not _overlaps(c, taken))
    if diary is not None:
        free = (c for c in free if can_take(c, diary, daily_limit))
    return tuple(_as_alternative(c) for c in _first_of_each(free))


def can_take(candidate: Candidate, diary: Diary, daily_limit: int) -> bool:
    """Whether the ledger, as the diary shows it, would book the candidate for the patient."""
    offer, slot = candidate.offer, candidate.slot
    return diary.takes(offer.doctor_id, slot, candidate.day, limit=daily_limit, max_daily=offer.max_daily_appointments)


def _overlaps(one: Candidate, other: Candidate) -> bool:
    # The patient cannot be in two visits at once, so the doctor does not matter here.
    return one.slot.start < other.slot.end + other.slot.buffer and other.slot.start < one.slot.end + one.slot.buffer


def _first_of_each(candidates: Iterable[Candidate]) -> Iterator[Candidate]:
    seen: dict[str, int] = {}
    given = 0
    for candidate in candidates:
        if given == MAX_ALTERNATIVES:
            return
        count = seen.get(candidate.offer.doctor_id, 0)
        if count < _ALTERNATIVES_OF_ONE_DOCTOR:
            seen[candidate.offer.doctor_id] = count + 1
            given += 1
            yield candidate


def _as_alternative(candidate: Candidate) -> AlternativeSlot:
    offer = candidate.offer
    return AlternativeSlot(
        doctor_id=offer.doctor_id,
        doctor_first_name=offer.first_name,
        doctor_last_name=offer.last_name,
        slot=candidate.slot,
        match_score=offer.match_score,
        has_patient_history=offer.is_preferred,
    )


def improvised(kind: AppointmentType, start: datetime, length: timedelta, clinic_buffer: timedelta) -> Slot:
    """A time for which no rule of the doctor's speaks: one visit at a time, with the usual buffer of its kind."""
    buffer = default_buffer(kind, clinic_buffer)
    return Slot(start, start + length, kind, SlotPriority.AVAILABLE, buffer, capacity=1)
