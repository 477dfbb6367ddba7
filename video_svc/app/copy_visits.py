"""Copies the changes of appointments, so that sessions appear, move and disappear with them."""

from collections.abc import Sequence
from dataclasses import dataclass

from opentelemetry.trace import SpanKind

from chassis.progress import Progress
from chassis.telemetry import link_to, tracer
from video_svc.app.ports import VisitCopies
from video_svc.domain.visit import Visit, newest_of


@dataclass(frozen=True, slots=True)
class VisitChange:
    """One change as the feed tells it: the visit after it, its place in the feed, and the trace that caused it."""

    revision: int
    visit: Visit
    traceparent: str = ""


@dataclass(frozen=True, slots=True)
class CopyVisits:
    """The use case."""

    copies: VisitCopies
    progress: Progress

    async def cursor(self) -> str:
        """Where to go on in the feed; empty means from the beginning."""
        cursor = await self.copies.cursor()
        self.progress.applied = int(cursor or 0)
        return cursor

    async def __call__(self, changes: Sequence[VisitChange]) -> None:
        """Keeps a batch, which may repeat or hold older versions than those that are kept."""
        revision = max(change.revision for change in changes)
        # Many visits, many traces: the copy belongs to none of them and is linked to each.
        links = [link for cause in sorted({change.traceparent for change in changes}) for link in link_to(cause)]
        with tracer().start_as_current_span("copy visits", kind=SpanKind.CONSUMER, links=links) as span:
            span.set_attribute("messaging.batch.message_count", len(changes))
            await self.copies.keep(newest_of(change.visit for change in changes), revision)
        self.progress.applied = max(self.progress.applied, revision)
