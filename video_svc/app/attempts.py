"""Who may speak about a connection: the current attempt of somebody who is in the call."""

from chassis.context import Caller
from video_svc.app.access import own_side
from video_svc.app.ports import Sessions
from video_svc.domain.errors import NotInCall, SessionNotFound
from video_svc.domain.joining import require_let_in
from video_svc.domain.participant import Participant
from video_svc.domain.session import Session
from video_svc.domain.visit import ParticipantType


def require_attempt(session: Session, side: ParticipantType, attempt: int) -> Participant:
    """The participant in their current attempt.

    Raises NotAdmitted, RemovedFromSession, InvalidArgument, StaleAttempt, and NotInCall for somebody who has left.
    """
    there = require_let_in(session, side)
    there.require_current(attempt)
    if not there.is_in_call:
        raise NotInCall(there.state.value)
    return there


async def own_attempt(sessions: Sessions, caller: Caller, session_id: str, attempt: int) -> tuple[Session, Participant]:
    """The session and the caller in their current attempt. Raises SessionNotFound and what require_attempt does."""
    session = await sessions.get(session_id)
    if session is None:
        raise SessionNotFound
    return session, require_attempt(session, own_side(caller, session), attempt)
