"""Comes to the door of a session with what a check of the devices found."""

from dataclasses import dataclass
from uuid import uuid4

from chassis.clock import Clock
from chassis.context import Caller
from video_svc.app.access import own_side
from video_svc.app.ports import Sessions
from video_svc.domain.joining import checked_in, come
from video_svc.domain.participant import DeviceCheck
from video_svc.domain.session import JoinRules, Session


@dataclass(frozen=True, slots=True)
class CheckIn:
    """The use case."""

    sessions: Sessions
    rules: JoinRules
    clock: Clock

    async def __call__(self, caller: Caller, session_id: str, devices: DeviceCheck) -> Session:
        """The session with the caller at its door. Raises SessionNotFound and what domain.joining.come does."""
        now, new_id = self.clock(), str(uuid4())

        def rule(session: Session) -> Session:
            side = own_side(caller, session)
            return checked_in(come(session, side, new_id, self.rules, now), side, devices)

        return await self.sessions.change(session_id, rule)
