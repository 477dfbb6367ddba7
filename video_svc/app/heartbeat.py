"""Takes a sign of life from a participant, and how their connection stands."""

from dataclasses import dataclass
from enum import Enum

from chassis.clock import Clock
from chassis.context import Caller
from kernel.errors import InvalidArgument
from video_svc.app.access import own_side
from video_svc.app.ports import Sessions
from video_svc.domain.errors import SessionNotFound
from video_svc.domain.participant import Participant
from video_svc.domain.presence import reported, seen
from video_svc.domain.session import JoinRules, Session
from video_svc.domain.session_states import SessionState


class ConnectionState(Enum):
    """How the connection of an attempt stands; the names are those of the contract."""

    CONNECTING = "CONNECTING"
    CONNECTED = "CONNECTED"
    DISCONNECTED = "DISCONNECTED"


@dataclass(frozen=True, slots=True)
class Report:
    """One report: its number within the attempt counts from 1. Attempt 0 is the waiting room."""

    attempt: int
    number: int
    state: ConnectionState


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The use case."""

    sessions: Sessions
    rules: JoinRules
    clock: Clock

    async def __call__(self, caller: Caller, session_id: str, report: Report) -> tuple[Participant, SessionState]:
        """Where the caller and the session stand after it. Raises SessionNotFound, StaleAttempt, InvalidArgument."""
        if report.number < 1:
            raise InvalidArgument.of("number", "must be 1 or more, and one more with each report of an attempt")
        now = self.clock()

        def rule(session: Session) -> Session:
            side = own_side(caller, session)
            if report.state is ConnectionState.CONNECTING or not report.attempt:
                return seen(session, side, report.attempt, now)
            is_connected = report.state is ConnectionState.CONNECTED
            return reported(session, side, report.attempt, report.number, is_connected=is_connected, now=now)

        session = await self.sessions.change(session_id, rule)
        there = session.one(own_side(caller, session))
        if there is None:
            raise SessionNotFound
        return there, session.state(self.rules, now)
