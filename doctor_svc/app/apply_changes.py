"""Copies changes of visits from the feed, so that busy times and history are known here."""

from collections.abc import Sequence
from dataclasses import dataclass

from opentelemetry.trace import SpanKind

from chassis.progress import Progress
from chassis.telemetry import link_to, tracer
from doctor_svc.app.ports import VisitCopy
from doctor_svc.domain.visits import VisitChange, newest_of


@dataclass(frozen=True, slots=True)
class ApplyChanges:
    """The use case."""

    copy: VisitCopy
    progress: Progress

    async def cursor(self) -> str:
        """Where to go on in the feed; empty means from the beginning."""
        self.progress.applied = await self.copy.cursor()
        return str(self.progress.applied or "")

    async def __call__(self, changes: Sequence[VisitChange]) -> None:
        """Applies a batch, which may repeat changes or bring older versions than those held."""
        number = max(change.number for change in changes)
        # A batch mixes the work of many traces: it belongs to none of them and is linked to each.
        causes = dict.fromkeys(change.traceparent for change in changes)
        links = [link for cause in causes for link in link_to(cause)]
        with tracer().start_as_current_span("apply changes", kind=SpanKind.CONSUMER, links=links) as span:
            span.set_attribute("messaging.batch.message_count", len(changes))
            await self.copy.keep(newest_of(change.visit for change in changes), number)
        self.progress.applied = max(self.progress.applied, number)
