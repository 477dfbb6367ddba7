"""Leaves a session, or its waiting room."""

from dataclasses import dataclass

from chassis.clock import Clock
from chassis.context import Caller
from video_svc.app.access import own_side
from video_svc.app.ports import Sessions
from video_svc.domain.presence import left
from video_svc.domain.session import Session


@dataclass(frozen=True, slots=True)
class LeaveSession:
    """The use case."""

    sessions: Sessions
    clock: Clock

    async def __call__(self, caller: Caller, session_id: str, attempt: int) -> Session:
        """The session without the caller. Raises SessionNotFound, StaleAttempt, InvalidArgument."""
        now = self.clock()
        return await self.sessions.change(
            session_id, lambda session: left(session, own_side(caller, session), attempt, now)
        )
