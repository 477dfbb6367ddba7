"""What the doctor decides about somebody at the door or in the visit: one way for all three decisions."""

from dataclasses import dataclass

from chassis.clock import Clock
from chassis.context import Caller
from video_svc.app.access import own_side
from video_svc.app.ports import Sessions
from video_svc.domain.errors import SessionNotFound
from video_svc.domain.joining import decided
from video_svc.domain.participant_states import ParticipantEvent
from video_svc.domain.session import JoinRules, Session
from video_svc.domain.visit import ParticipantType


@dataclass(frozen=True, slots=True)
class Deciding:
    """Applies a decision of the visit's doctor."""

    sessions: Sessions
    rules: JoinRules
    clock: Clock

    async def about(self, caller: Caller, session_id: str, participant_id: str, event: ParticipantEvent) -> Session:
        """The session after it. Raises SessionNotFound for everybody but the doctor, and what `decided` does."""
        now = self.clock()

        def rule(session: Session) -> Session:
            if own_side(caller, session) is not ParticipantType.DOCTOR:
                raise SessionNotFound
            return decided(session, participant_id, event, self.rules, now)

        return await self.sessions.change(session_id, rule)
