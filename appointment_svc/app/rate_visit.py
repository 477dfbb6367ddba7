"""Keeps what a patient made of a completed visit."""

from dataclasses import dataclass

from appointment_svc.app.changing import guarded
from appointment_svc.app.ports import Appointments, ChangeOrder
from appointment_svc.domain.rules import MAX_COMMENT, RATINGS, check_text
from chassis.clock import Clock
from kernel.errors import InvalidArgument


@dataclass(frozen=True, slots=True)
class RateVisit:
    """The use case; the RPC is open to patients alone."""

    appointments: Appointments
    clock: Clock

    async def __call__(self, order: ChangeOrder, rating: int, comment: str) -> bytes:
        """The rendered answer. Raises InvalidArgument, AppointmentNotFound, WrongState, AlreadyRated.

        The comment stands with the appointment alone: neither history nor the feed tells it.
        """
        if rating not in RATINGS:
            raise InvalidArgument.of("rating", f"must be {RATINGS[0]} to {RATINGS[-1]}")
        check_text(comment, "comment", MAX_COMMENT)
        now = self.clock()
        decide = guarded(order, "", lambda current: current.rated(rating, comment, now))
        return await self.appointments.change(order, now, decide)
