"""Ends a visit for everybody."""

from dataclasses import dataclass

from chassis.clock import Clock
from chassis.context import Caller
from video_svc.app.access import may_see, note_session, side_of
from video_svc.app.ports import Sessions
from video_svc.domain.errors import SessionNotFound
from video_svc.domain.presence import ended
from video_svc.domain.session import Session
from video_svc.domain.visit import ParticipantType


@dataclass(frozen=True, slots=True)
class EndSession:
    """The use case."""

    sessions: Sessions
    clock: Clock

    async def __call__(self, caller: Caller, session_id: str) -> Session:
        """The session, over. Raises SessionNotFound for all but its doctor and staff, NobodyCame."""
        now = self.clock()

        def rule(session: Session) -> Session:
            note_session(session)
            if not may_see(caller, session) or side_of(caller, session) is ParticipantType.PATIENT:
                raise SessionNotFound
            return ended(session, now)

        return await self.sessions.change(session_id, rule)
