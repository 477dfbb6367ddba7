"""What an appointment is told of its session: who came, that it began, that it ended, and nothing twice."""

from dataclasses import replace

import pytest

from kernel.appointment_status import AppointmentStatus
from tests.domain.video.video_builders import START, participant, session
from video_svc.domain.consequences import Notice, notices_of
from video_svc.domain.participant_states import ParticipantState
from video_svc.domain.session import Life, Session
from video_svc.domain.session_states import EndReason, SessionState
from video_svc.domain.visit import ParticipantType

PATIENT, DOCTOR = ParticipantType.PATIENT, ParticipantType.DOCTOR
LIVE = Life(SessionState.LIVE, START, START)


def with_life(life: Life) -> Session:
    people = [participant(side, ParticipantState.CONNECTED, attempt=1) for side in ParticipantType]
    return session(AppointmentStatus.CONFIRMED, *people, life=life)


def test_whoever_comes_is_told_of_once() -> None:
    nobody, one = session(), session(AppointmentStatus.CONFIRMED, participant())
    both = session(AppointmentStatus.CONFIRMED, participant(), participant(DOCTOR, ParticipantState.ADMITTED))
    assert notices_of(nobody, one) == (Notice.PATIENT_CAME,)
    assert notices_of(one, both) == (Notice.DOCTOR_CAME,)
    assert notices_of(both, both) == ()


def test_whoever_left_the_waiting_room_has_come_when_they_come_again() -> None:
    away = session(AppointmentStatus.CONFIRMED, participant(state=ParticipantState.INVITED))
    assert notices_of(away, session(AppointmentStatus.CONFIRMED, participant())) == (Notice.PATIENT_CAME,)


def test_a_visit_begins_once_however_often_it_is_interrupted() -> None:
    assert notices_of(with_life(Life(SessionState.OPEN, START)), with_life(LIVE)) == (Notice.BEGAN,)
    interrupted = with_life(replace(LIVE, state=SessionState.INTERRUPTED))
    assert notices_of(with_life(LIVE), interrupted) == ()
    assert notices_of(interrupted, with_life(LIVE)) == ()


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        (EndReason.ENDED_BY_DOCTOR, (Notice.ENDED,)),
        (EndReason.MAX_DURATION, (Notice.ENDED,)),
        (EndReason.CONNECTION_LOST, ()),
    ],
)
def test_a_visit_that_began_is_completed_unless_it_may_be_taken_up_again(
    reason: EndReason, told: tuple[Notice, ...]
) -> None:
    over = with_life(replace(LIVE, state=SessionState.ENDED, end_reason=reason))
    assert notices_of(with_life(LIVE), over) == told
    assert notices_of(over, over) == ()


def test_a_visit_that_never_began_is_never_completed() -> None:
    over = with_life(Life(SessionState.ENDED, START, None, EndReason.ENDED_BY_DOCTOR))
    assert notices_of(with_life(Life(SessionState.OPEN, START)), over) == ()
