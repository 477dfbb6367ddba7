"""Tells the appointment service what happened in sessions: in order, until it was heard, and once in effect."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from opentelemetry.trace import SpanKind

from chassis.background import periodically
from chassis.telemetry import link_to, tracer
from kernel.errors import Kind, Refusal
from video_svc.domain.consequences import Notice

logger = logging.getLogger(__name__)
_EVERY_SECONDS = 0.25
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 60.0
# A day later nobody is helped by it: the appointment's own clock has settled the visit long since.
_WORTH_TELLING_SECONDS = 24 * 3600.0
# Refusals that time may mend; every other one is the appointment's last word.
_PASSING = frozenset(
    {Kind.UNAVAILABLE, Kind.RESOURCE_EXHAUSTED, Kind.DEADLINE_EXCEEDED, Kind.ABORTED, Kind.UNAUTHENTICATED}
)
_TOO_EARLY = "TOO_EARLY"


@dataclass(frozen=True, slots=True)
class Due:
    """A notice that is to be told now, for the `tries`th time. `notice_id` names it to the other side too."""

    notice_id: str
    appointment_id: str
    notice: Notice
    traceparent: str
    tries: int
    age_seconds: float


class Outbox(Protocol):
    """What has still to be told. Notices are put in with the change that they tell of."""

    async def take(self) -> Sequence[Due]:
        """The oldest notice of each session that is due; nobody else is given it for half a minute."""

    async def put_off(self, notice_id: str, seconds: float) -> None:
        """Makes a notice due again after so many seconds."""

    async def drop(self, notice_id: str) -> None:
        """Forgets a notice, so that the next one of its session is due."""

    async def waiting(self) -> int:
        """How many notices there are."""


class Appointments(Protocol):
    """The appointment service as far as sessions speak to it."""

    async def tell(self, due: Due) -> None:
        """Tells one notice; telling it again changes nothing. Raises Refusal."""


@dataclass(frozen=True, slots=True)
class TellAppointments:
    """The use case."""

    outbox: Outbox
    appointments: Appointments

    async def __call__(self) -> None:
        """Tells what is due, and what becomes due by that, until nothing is."""
        while notices := await self.outbox.take():
            for due in notices:
                with tracer().start_as_current_span(
                    "tell appointment", kind=SpanKind.PRODUCER, links=link_to(due.traceparent)
                ) as span:
                    span.set_attribute("video.notice", due.notice.value)
                    await self._tell(due)

    async def _tell(self, due: Due) -> None:
        try:
            await self.appointments.tell(due)
        except Refusal as refusal:
            is_passing = refusal.kind in _PASSING or refusal.reason == _TOO_EARLY
            fields = {"notice": due.notice.value, "reason": refusal.reason, "tries": due.tries}
            if is_passing and due.age_seconds < _WORTH_TELLING_SECONDS:
                pause = min(_FIRST_PAUSE_SECONDS * 2.0 ** min(due.tries - 1, 10), _LONGEST_PAUSE_SECONDS)
                await self.outbox.put_off(due.notice_id, pause)
                logger.info("the appointment service will be told again", extra=fields)
                return
            # The appointment has moved on by itself, as when a doctor started it by hand: it knows best.
            logger.info("the appointment service did not want to know", extra=fields)
        await self.outbox.drop(due.notice_id)

    async def run(self) -> None:
        """Does it for ever."""
        await periodically(_EVERY_SECONDS, self)
