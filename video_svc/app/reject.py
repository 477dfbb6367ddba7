"""Does not let somebody in, who may knock again later."""

from dataclasses import dataclass

from chassis.context import Caller
from video_svc.app.deciding import Deciding
from video_svc.domain.participant_states import ParticipantEvent
from video_svc.domain.session import Session


@dataclass(frozen=True, slots=True)
class Reject:
    """The use case."""

    deciding: Deciding

    async def __call__(self, caller: Caller, session_id: str, participant_id: str) -> Session:
        """The session after it. Raises SessionNotFound, ParticipantNotFound, NotAdmitted, SessionOver."""
        return await self.deciding.about(caller, session_id, participant_id, ParticipantEvent.WAS_REJECTED)
