"""Books the best doctor's first free time for a patient's wish."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, time, timedelta

from appointment_svc.app.access import require_may_book
from appointment_svc.app.booking import BookingCall, Bookkeeper, Visit, check_words
from appointment_svc.app.explaining import Explainer
from appointment_svc.app.ports import Diaries, Doctors, MatchWish
from appointment_svc.domain.diary import Diary
from appointment_svc.domain.errors import DailyLimitReached, FeatureDisabled, NoAvailability, PatientBusy, TooSoon
from appointment_svc.domain.offers import Offer, can_take, candidates_in_window, candidates_outside
from appointment_svc.domain.rules import Rules, check_calendar
from chassis.clock import Clock
from kernel.civil_time import end_of_wall, zone_named
from kernel.errors import InvalidArgument, Refusal

# Each look shows a doctor's next few dozen times, so that only a day of thousands would need more.
_MOST_LOOKS = 10


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
    diaries: Diaries
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
            offers, diary = await self._look(asked)
        except Refusal as refusal:
            raise await self.explain(refusal, asked) from None
        try:
            for _ in range(_MOST_LOOKS):
                answer = await self._take(call, wish, offers, diary)
                if answer is not None:
                    return answer
                if not any(offer.has_more_slots for offer in offers):
                    break
                # Others took all that was shown, and more is there: look again, at what is left behind them.
                newest = await self._newest_claim(offers)
                offers, diary = await self._look(replace(asked, at_least_revision=newest))
            raise NoAvailability.of()
        except Refusal as refusal:
            raise await self.explain(refusal, asked, offers) from None

    async def _look(self, asked: MatchWish) -> tuple[list[Offer], Diary]:
        """The offers, and what the patient's own days hold: both at once, so that the second costs no time."""
        now = self.clock()
        return await asyncio.gather(
            self.doctors.match(asked), self.diaries.read([], asked.patient_id or None, now, now)
        )

    async def _take(self, call: BookingCall, wish: SmartWish, offers: Sequence[Offer], diary: Diary) -> bytes | None:
        """Books the first time that suits the patient's own days and is left; None when others have them all."""
        candidates = candidates_in_window(offers)
        if wish.accept_outside_window:
            candidates += candidates_outside(offers)
        possible = [one for one in candidates if can_take(one, diary, self.rules.daily_limit)]
        if candidates and not possible:
            is_busy = any(diary.in_patients_way(one.slot.start, one.slot.end) for one in candidates)
            raise PatientBusy.of() if is_busy else DailyLimitReached.of(self.rules.daily_limit)
        return await self.bookkeeper.book_first_free(call, wish.visit, possible, offers, diary)

    async def _newest_claim(self, offers: Sequence[Offer]) -> str:
        """The revision of the last change among what stands in the way."""
        times = [slot for offer in offers for slot in offer.slots]
        earliest, latest = min(slot.start for slot in times), max(slot.end for slot in times)
        return await self.diaries.newest_change([offer.doctor_id for offer in offers], earliest, latest)

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
    if wish.preferred_date is not None:
        check_calendar(wish.preferred_date, "preferred_date")
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
