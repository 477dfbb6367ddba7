"""What the appointment has to be told when something happens in its session."""

from enum import Enum

from video_svc.domain.participant_states import ParticipantState
from video_svc.domain.session import Session
from video_svc.domain.session_states import EndReason, SessionState
from video_svc.domain.visit import ParticipantType


class Notice(Enum):
    """One thing that the appointment service is told."""

    PATIENT_CAME = "PATIENT_CAME"
    DOCTOR_CAME = "DOCTOR_CAME"
    # Patient and doctor were connected for the first time.
    BEGAN = "BEGAN"
    # A visit that had begun is over; one whose connection was lost may still be taken up again.
    ENDED = "ENDED"


_CAME = {ParticipantType.PATIENT: Notice.PATIENT_CAME, ParticipantType.DOCTOR: Notice.DOCTOR_CAME}
_FINISHED = frozenset({EndReason.ENDED_BY_DOCTOR, EndReason.MAX_DURATION})


def notices_of(before: Session, after: Session) -> tuple[Notice, ...]:
    """What to tell, in order, when a session has become another."""
    told = [_CAME[one.side] for one in after.present() if not _is_present(before, one.side)]
    if after.life.began is not None and before.life.began is None:
        told.append(Notice.BEGAN)
    is_over = after.life.state is SessionState.ENDED and before.life.state is not SessionState.ENDED
    if is_over and after.life.began is not None and after.life.end_reason in _FINISHED:
        told.append(Notice.ENDED)
    return tuple(told)


def _is_present(session: Session, side: ParticipantType) -> bool:
    there = session.one(side)
    return there is not None and there.state is not ParticipantState.INVITED
