"""Gives a participant fresh ICE servers during an attempt."""

from dataclasses import dataclass

from chassis.clock import Clock
from chassis.context import Caller
from video_svc.app.attempts import own_attempt
from video_svc.app.connecting import Connecting
from video_svc.app.ports import Sessions
from video_svc.domain.joining import check_under_way
from video_svc.domain.media import IceServers
from video_svc.domain.session import JoinRules


@dataclass(frozen=True, slots=True)
class RefreshIce:
    """The use case."""

    sessions: Sessions
    connecting: Connecting
    rules: JoinRules
    clock: Clock

    async def __call__(self, caller: Caller, session_id: str, attempt: int) -> IceServers:
        """The servers. Raises SessionNotFound, NotAdmitted, StaleAttempt, SessionOver, or the provider's refusal."""
        session, participant = await own_attempt(self.sessions, caller, session_id, attempt)
        check_under_way(session, self.rules, self.clock())
        return await self.connecting.ice_servers(participant)
