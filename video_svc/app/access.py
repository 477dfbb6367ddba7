"""Whose session it is: the participants' own, and open to staff, and through a broken glass, for reading."""

from chassis.accesses import note_access
from chassis.context import Caller, Role
from video_svc.app.ports import Sessions
from video_svc.domain.errors import SessionNotFound
from video_svc.domain.session import Session
from video_svc.domain.visit import ParticipantType

_SIDES = {Role.PATIENT: ParticipantType.PATIENT, Role.DOCTOR: ParticipantType.DOCTOR}


def side_of(caller: Caller, session: Session) -> ParticipantType | None:
    """On which side the caller takes part; None for everybody else, staff too."""
    side = _SIDES.get(caller.role)
    return side if side is not None and session.visit.person(side) == caller.subject else None


def own_side(caller: Caller, session: Session) -> ParticipantType:
    """On which side the caller takes part, of a session that is touched. Raises SessionNotFound for everybody else."""
    note_session(session)
    side = side_of(caller, session)
    if side is None:
        raise SessionNotFound
    return side


def note_session(session: Session) -> None:
    """Says that the running call touches a session, whoever calls."""
    note_access(entity_id=session.session_id, patient_id=session.visit.patient_id)


def may_see(caller: Caller, session: Session) -> bool:
    """Whether the caller may know of the session at all; who came by a ticket may know of the ticket's session."""
    if caller.confined_to not in ("", session.session_id):
        return False
    return caller.sees_all or side_of(caller, session) is not None


async def visible(sessions: Sessions, caller: Caller, session_id: str) -> Session:
    """The session, for whoever may know of it. Raises SessionNotFound."""
    session = await sessions.get(session_id)
    if session is None:
        raise SessionNotFound
    note_session(session)
    if not may_see(caller, session):
        raise SessionNotFound
    return session
