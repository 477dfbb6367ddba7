"""Books exactly the time asked for, with rules set aside by staff."""

from dataclasses import dataclass, replace

from appointment_svc.app.access import require_may_override
from appointment_svc.app.book import ExactWish, check_exact, match_wish
from appointment_svc.app.booking import BookingCall, Bookkeeper
from appointment_svc.app.explaining import Explainer
from appointment_svc.app.overriding import Overriding, Place
from appointment_svc.domain.errors import DailyLimitReached, SlotTaken
from appointment_svc.domain.overriding import RuleOverride
from kernel.errors import InvalidArgument, Refusal


@dataclass(frozen=True, slots=True)
class BookOverriding:
    """The use case. Whose time is taken stays taken: the ledger is asked as by everybody."""

    bookkeeper: Bookkeeper
    overriding: Overriding
    explain: Explainer

    async def __call__(self, call: BookingCall, wish: ExactWish, override: RuleOverride) -> bytes:
        """The rendered answer. Raises every refusal that the RPC documents."""
        require_may_override(call.caller)
        check_exact(call, wish)
        if wish.doctor_id is None:
            raise InvalidArgument.of("doctor_id", "is required where rules are set aside")
        return await self.bookkeeper.attempt(call, wish.visit, lambda: self._book(call, wish, override))

    async def _book(self, call: BookingCall, wish: ExactWish, override: RuleOverride) -> bytes:
        place = await self.overriding.place(match_wish(wish), override)
        try:
            try:
                return await self._take(call, wish, override, place)
            except DailyLimitReached as full:
                if not override.waives(full):
                    raise
                return await self._take(call, wish, override, replace(place, broken=(*place.broken, full)))
        except Refusal as refusal:
            raise await self.explain(refusal, match_wish(wish), waived=frozenset(override.rules)) from None

    async def _take(self, call: BookingCall, wish: ExactWish, override: RuleOverride, place: Place) -> bytes:
        overriding = replace(call, override=override.used_for(place.broken))
        candidate = place.candidate
        answer = await self.bookkeeper.book_first_free(overriding, wish.visit, [candidate], [candidate.offer])
        if answer is None:
            raise SlotTaken.of()
        return answer
