"""Who may negotiate with the provider: the current attempt of somebody who is in a call that goes through one."""

from dataclasses import dataclass

from chassis.clock import Clock
from chassis.context import Caller
from video_svc.app.attempts import own_attempt
from video_svc.app.media_ports import MediaProvider
from video_svc.app.negotiating import Negotiating
from video_svc.app.negotiation_ports import Wish
from video_svc.app.ports import Sessions
from video_svc.domain.attempt import AttemptKey
from video_svc.domain.errors import NeedsSfu
from video_svc.domain.joining import check_under_way
from video_svc.domain.media import Topology
from video_svc.domain.session import JoinRules, Session


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request is at home: the session, the caller's attempt in it, and what the request is named by."""

    session_id: str
    attempt: int
    wish: Wish


@dataclass(frozen=True, slots=True)
class MediaAccess:
    """What the three use cases of negotiating share."""

    sessions: Sessions
    media: MediaProvider
    negotiating: Negotiating
    rules: JoinRules
    clock: Clock

    async def enter(self, caller: Caller, place: Place) -> tuple[Session, AttemptKey]:
        """The session and the caller's attempt.

        Raises NeedsSfu, SessionNotFound, SessionOver, NotAdmitted, NotInCall, StaleAttempt.
        """
        session, participant = await own_attempt(self.sessions, caller, place.session_id, place.attempt)
        check_under_way(session, self.rules, self.clock())
        if self.media.caps.topology is not Topology.SFU:
            raise NeedsSfu
        return session, AttemptKey(place.session_id, participant.side, place.attempt)
