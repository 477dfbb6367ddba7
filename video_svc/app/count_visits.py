"""Counts the visits under way and the notices that wait, for dashboards."""

from dataclasses import dataclass

from chassis.background import periodically
from video_svc.app.numbers import notices_waiting, under_way
from video_svc.app.quality_ports import Qualities
from video_svc.app.tell_appointments import Outbox
from video_svc.domain.session_states import SessionState

_EVERY_SECONDS = 5.0
_COUNTED = (SessionState.OPEN, SessionState.LIVE, SessionState.INTERRUPTED)


@dataclass(frozen=True, slots=True)
class CountVisits:
    """The use case."""

    qualities: Qualities
    outbox: Outbox

    async def __call__(self) -> None:
        """Counts once."""
        counts = await self.qualities.under_way()
        for state in _COUNTED:
            under_way.labels(state.value).set(counts.get(state.value, 0))
        notices_waiting.set(await self.outbox.waiting())

    async def run(self) -> None:
        """Does it for ever."""
        await periodically(_EVERY_SECONDS, self)
