"""Books exactly the time asked for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from appointment_svc.app.access import require_may_book
from appointment_svc.app.booking import BookingCall, Bookkeeper, Visit, check_words, slot_taken
from appointment_svc.app.ports import Doctors, MatchWish
from appointment_svc.domain.errors import NoAvailability, OutsideWorkingHours, PatientBusy, SlotTaken, TooSoon
from appointment_svc.domain.offers import Candidate, Offer, alternatives, candidates_exactly
from appointment_svc.domain.rules import Rules
from chassis.clock import Clock
from kernel.errors import InvalidArgument


@dataclass(frozen=True, slots=True)
class ExactWish:
    """A visit at one time, with one doctor or (None) the best who works then."""

    visit: Visit
    doctor_id: str | None
    start: datetime


@dataclass(frozen=True, slots=True)
class Book:
    """The use case."""

    bookkeeper: Bookkeeper
    doctors: Doctors
    clock: Clock
    rules: Rules

    async def __call__(self, call: BookingCall, wish: ExactWish) -> bytes:
        """The rendered answer. Raises every refusal that the RPC documents."""
        require_may_book(call.caller, wish.visit.patient_id, wish.doctor_id)
        check_words(wish.visit)
        if wish.start.second or wish.start.microsecond:
            raise InvalidArgument.of("appointment_date", "must be a whole minute")
        return await self.bookkeeper.attempt(call, wish.visit, lambda: self._book(call, wish))

    async def _book(self, call: BookingCall, wish: ExactWish) -> bytes:
        # The notice needs no doctor, so a hopeless wish costs no call; the horizon is of the doctor's calendar.
        if wish.start - self.clock() < self.rules.min_advance:
            raise TooSoon.of(wish.start, self.clock(), self.rules.min_advance)
        # Nearly every booking succeeds, so other times are asked for only once this one is refused.
        asked = _match_wish(wish)
        offers = await self.doctors.match(replace(asked, exact_only=True))
        candidates = self._candidates(wish, offers)
        try:
            answer = await self.bookkeeper.book_first_free(call, wish.visit, candidates, offers)
            if answer is None:
                raise slot_taken(candidates[0], offers)
        except (PatientBusy, SlotTaken) as refusal:
            if not refusal.alternatives:
                refusal.alternatives = alternatives(await self.doctors.match(asked), candidates[0])
            raise
        return answer

    def _candidates(self, wish: ExactWish, offers: Sequence[Offer]) -> list[Candidate]:
        if offers:
            self.rules.check_start(wish.start, self.clock(), offers[0].zone)
        candidates = candidates_exactly(offers)
        if candidates:
            return candidates
        if wish.doctor_id is not None:
            raise OutsideWorkingHours.of(alternatives(offers))
        raise NoAvailability.of(alternatives(offers))


def _match_wish(wish: ExactWish) -> MatchWish:
    visit = wish.visit
    return MatchWish(
        patient_id=visit.patient_id,
        kind=visit.kind,
        length=visit.length,
        timezone=visit.timezone,
        specialty_required=visit.specialty_required,
        doctor_id=wish.doctor_id or "",
        start=wish.start,
    )
