"""Rates the visits that are over by what was measured in them."""

from dataclasses import dataclass

from chassis.background import periodically
from video_svc.app.numbers import issues, rated_visits
from video_svc.app.quality_ports import Qualities
from video_svc.domain.quality import troubles_of, visit_rating

_EVERY_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class RateVisits:
    """The use case. Rating a visit twice, as two replicas might, is rating it alike."""

    qualities: Qualities

    async def __call__(self) -> None:
        """Rates some visits."""
        for session_id in await self.qualities.to_rate():
            measured = await self.qualities.of_session(session_id)
            found = dict.fromkeys(trouble.issue for trouble in troubles_of(measured))
            rating = visit_rating(measured)
            await self.qualities.rate(session_id, rating, list(found))
            rated_visits.labels(str(rating or "none")).inc()
            for issue in found:
                issues.labels(issue.value).inc()

    async def run(self) -> None:
        """Does it for ever."""
        await periodically(_EVERY_SECONDS, self)
