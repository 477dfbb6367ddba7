"""Lists how much of the next days is offered, booked and free, for every doctor, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chassis.paging import page_length
from doctor_svc.app.ports import Summaries
from doctor_svc.domain.summary import DoctorSummary, Position


@dataclass(frozen=True, slots=True)
class SummariesPage:
    """Some doctors by their next free time, after whom the next page begins, and as of when all this is.

    `next` is None on the last page, `refresh_time` before the first refresh.
    """

    doctors: Sequence[DoctorSummary]
    next: Position | None
    refresh_time: datetime | None


@dataclass(frozen=True, slots=True)
class ListAvailabilitySummaries:
    """The use case."""

    summaries: Summaries

    async def __call__(self, specialty: str, after: Position | None, page_size: int) -> SummariesPage:
        """One page; an empty specialty means any. Raises InvalidArgument."""
        length = page_length(page_size)
        found, refresh_time = await self.summaries.page(specialty, after, length + 1)
        page = found[:length]
        return SummariesPage(page, page[-1].position if len(found) > length else None, refresh_time)
