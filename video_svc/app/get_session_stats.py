"""Tells how good the connections of a session were."""

from dataclasses import dataclass

from chassis.context import Caller
from video_svc.app.access import visible
from video_svc.app.ports import Sessions
from video_svc.app.quality_ports import Qualities
from video_svc.domain.quality import Summary, Trouble, summary_of, troubles_of, visit_rating
from video_svc.domain.session import Session
from video_svc.domain.visit import ParticipantType


@dataclass(frozen=True, slots=True)
class SessionStats:
    """The numbers of one session so far: the rating is None until something was measured."""

    session: Session
    rating: int | None
    summaries: tuple[Summary, ...]
    troubles: tuple[Trouble, ...]


@dataclass(frozen=True, slots=True)
class GetSessionStats:
    """The use case."""

    sessions: Sessions
    qualities: Qualities

    async def __call__(self, caller: Caller, session_id: str) -> SessionStats:
        """The numbers. Raises SessionNotFound."""
        session = await visible(self.sessions, caller, session_id)
        measured = await self.qualities.of_session(session_id)
        summaries = [summary_of(side, measured) for side in ParticipantType]
        return SessionStats(
            session, visit_rating(measured), tuple(one for one in summaries if one), troubles_of(measured)
        )
