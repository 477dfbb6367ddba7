"""Whose session it is: the participants' own, and open to staff for reading."""

from chassis.context import Caller, Role
from video_svc.domain.session import Session
from video_svc.domain.visit import ParticipantType

_SIDES = {Role.PATIENT: ParticipantType.PATIENT, Role.DOCTOR: ParticipantType.DOCTOR}


def side_of(caller: Caller, session: Session) -> ParticipantType | None:
    """On which side the caller takes part; None for everybody else, staff too."""
    side = _SIDES.get(caller.role)
    return side if side is not None and session.visit.person(side) == caller.subject else None


def may_see(caller: Caller, session: Session) -> bool:
    """Whether the caller may know of the session at all."""
    return caller.is_staff or side_of(caller, session) is not None
