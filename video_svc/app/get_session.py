"""Tells one session to those who may know of it."""

from dataclasses import dataclass

from chassis.context import Caller
from video_svc.app.access import visible
from video_svc.app.ports import Sessions
from video_svc.domain.session import Session


@dataclass(frozen=True, slots=True)
class GetSession:
    """The use case."""

    sessions: Sessions

    async def __call__(self, caller: Caller, session_id: str) -> Session:
        """The session. Raises SessionNotFound, also for someone else's."""
        return await visible(self.sessions, caller, session_id)
