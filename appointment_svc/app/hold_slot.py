"""Keeps exactly the time asked for, for a while, for a patient who is still deciding."""

from dataclasses import dataclass

from appointment_svc.app.book import Book, ExactWish
from appointment_svc.app.booking import BookingCall


@dataclass(frozen=True, slots=True)
class HoldSlot:
    """The use case: a booking by every rule, whose call says that it is but a hold."""

    book: Book

    async def __call__(self, call: BookingCall, wish: ExactWish) -> bytes:
        """The rendered answer. Raises every refusal that the RPC documents."""
        return await self.book(call, wish)
