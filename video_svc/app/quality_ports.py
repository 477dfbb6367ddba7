"""What keeps the measured quality of connections."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from video_svc.domain.quality import Issue, Measured, Sample
from video_svc.domain.visit import ParticipantType


class Qualities(Protocol):
    """The samples of all sessions, and the ratings of those that are over."""

    async def keep(self, session_id: str, side: ParticipantType, attempt: int, samples: Sequence[Sample]) -> None:
        """Keeps samples; one whose number was kept before changes nothing."""

    async def of_session(self, session_id: str) -> Sequence[Measured]:
        """Everything that was measured in a session, in its order."""

    async def to_rate(self) -> Sequence[str]:
        """The ids of some sessions that are over and not rated yet."""

    async def rate(self, session_id: str, rating: int | None, issues: Sequence[Issue]) -> None:
        """Keeps the rating of a session, None when nothing was measured, and tells its watchers."""

    async def under_way(self) -> Mapping[str, int]:
        """How many sessions there are now, by the name of their state; states of which there is none may be missing."""
