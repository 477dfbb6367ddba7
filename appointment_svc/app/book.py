"""Books exactly the time asked for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from appointment_svc.app.access import require_may_book
from appointment_svc.app.booking import BookingCall, Bookkeeper, Visit, check_words
from appointment_svc.app.explaining import Explainer
from appointment_svc.app.ports import Doctors, MatchWish
from appointment_svc.domain.errors import NoAvailability, OutsideWorkingHours, SlotTaken
from appointment_svc.domain.offers import Candidate, Offer, candidates_exactly
from appointment_svc.domain.rules import Rules, check_calendar
from chassis.clock import Clock
from kernel.errors import InvalidArgument, Refusal


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
    explain: Explainer
    clock: Clock
    rules: Rules

    async def __call__(self, call: BookingCall, wish: ExactWish) -> bytes:
        """The rendered answer. Raises every refusal that the RPC documents."""
        check_exact(call, wish)
        return await self.bookkeeper.attempt(call, wish.visit, lambda: self._book(call, wish))

    async def _book(self, call: BookingCall, wish: ExactWish) -> bytes:
        asked = match_wish(wish)
        try:
            # The notice needs no doctor, so a hopeless wish costs no call; the horizon is of the doctor's calendar.
            self.rules.check_notice(wish.start, self.clock())
            # Nearly every booking succeeds, so other times are asked for only once this one is refused.
            offers = await self.doctors.match(replace(asked, exact_only=True))
            candidates = self._candidates(wish, offers)
            answer = await self.bookkeeper.book_first_free(call, wish.visit, candidates, offers)
            if answer is None:
                raise SlotTaken.of()
        except Refusal as refusal:
            raise await self.explain(refusal, asked) from None
        return answer

    def _candidates(self, wish: ExactWish, offers: Sequence[Offer]) -> list[Candidate]:
        if offers:
            self.rules.check_start(wish.start, self.clock(), offers[0].zone)
        candidates = candidates_exactly(offers)
        if candidates:
            return candidates
        raise NoAvailability.of() if wish.doctor_id is None else OutsideWorkingHours.of()


def check_exact(call: BookingCall, wish: ExactWish) -> None:
    """Refuses a wish that this caller may not have or nobody can. Raises PermissionDenied, InvalidArgument."""
    require_may_book(call.caller, wish.visit.patient_id, wish.doctor_id)
    check_words(wish.visit)
    check_calendar(wish.start, "appointment_date")
    if wish.start.second or wish.start.microsecond:
        raise InvalidArgument.of("appointment_date", "must be a whole minute")


def match_wish(wish: ExactWish) -> MatchWish:
    """What the doctor service is asked for it."""
    return replace(wish.visit.match_wish(), doctor_id=wish.doctor_id or "", start=wish.start)
