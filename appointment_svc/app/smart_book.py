"""Books the best doctor's first free time for a patient's wish."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, time, timedelta

from appointment_svc.app.access import require_may_book
from appointment_svc.app.booking import BookingCall, Bookkeeper, Visit, check_words
from appointment_svc.app.explaining import Explainer
from appointment_svc.app.ports import Doctors, MatchWish
from appointment_svc.domain.errors import FeatureDisabled, NoAvailability, TooSoon
from appointment_svc.domain.offers import Offer, candidates_in_window, candidates_outside
from appointment_svc.domain.rules import Rules
from chassis.clock import Clock
from kernel.civil_time import end_of_wall, zone_named
from kernel.errors import InvalidArgument, Refusal


@dataclass(frozen=True, slots=True)
class SmartWish:
    """A visit, and when it would suit; date and times are wall time in the visit's zone, None means any."""

    visit: Visit
    preferred_date: date | None
    preferred_start: time | None
    preferred_end: time | None
    allow_history: bool
    accept_outside_window: bool


@dataclass(frozen=True, slots=True)
class SmartBook:
    """The use case."""

    bookkeeper: Bookkeeper
    doctors: Doctors
    explain: Explainer
    clock: Clock
    rules: Rules

    async def __call__(self, call: BookingCall, wish: SmartWish) -> bytes:
        """The rendered answer. Raises every refusal that the RPC documents."""
        require_may_book(call.caller, wish.visit.patient_id, doctor_id=None)
        check_words(wish.visit)
        _check_window(wish)
        return await self.bookkeeper.attempt(call, wish.visit, lambda: self._book(call, wish))

    async def _book(self, call: BookingCall, wish: SmartWish) -> bytes:
        if not self.rules.smart_booking:
            raise FeatureDisabled("smart booking is switched off; use POST /appointments/book")
        asked = _match_wish(wish)
        try:
            self._check_rules(wish)
            offers = await self.doctors.match(asked)
        except Refusal as refusal:
            raise await self.explain(refusal, asked) from None
        try:
            return await self._take(call, wish, offers)
        except Refusal as refusal:
            raise await self.explain(refusal, asked, offers) from None

    async def _take(self, call: BookingCall, wish: SmartWish, offers: Sequence[Offer]) -> bytes:
        candidates = candidates_in_window(offers)
        if wish.accept_outside_window:
            candidates += candidates_outside(offers)
        answer = await self.bookkeeper.book_first_free(call, wish.visit, candidates, offers)
        if answer is None:
            raise NoAvailability.of()
        return answer

    def _check_rules(self, wish: SmartWish) -> None:
        """Refuses a window that holds no bookable instant, whoever the doctor is."""
        if wish.preferred_date is None or wish.accept_outside_window:
            return
        zone = zone_named(wish.visit.timezone)
        now = self.clock()
        closes = end_of_wall(wish.preferred_date, wish.preferred_end, zone)
        if closes - now < self.rules.min_advance:
            raise TooSoon.of(closes, now, self.rules.min_advance)
        # The doctor's today may be a day ahead of the patient's, so the wish gets that day's grace.
        self.rules.check_day(wish.preferred_date - timedelta(days=1), now, zone)


def _check_window(wish: SmartWish) -> None:
    start, end = wish.preferred_start, wish.preferred_end
    if start is not None and end is not None and end < start:
        raise InvalidArgument.of("preferred_time_end", "must not be before preferred_time_start")
    if wish.preferred_date is None and (start is not None or end is not None):
        raise InvalidArgument.of("preferred_date", "is required when preferred times are given")


def _match_wish(wish: SmartWish) -> MatchWish:
    return replace(
        wish.visit.match_wish(),
        allow_history=wish.allow_history,
        preferred_date=wish.preferred_date,
        preferred_start=wish.preferred_start,
        preferred_end=wish.preferred_end,
    )
