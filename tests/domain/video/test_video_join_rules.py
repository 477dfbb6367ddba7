"""Who is let in, and when: ten minutes before the start to thirty minutes after the end."""

from datetime import datetime, timedelta

import pytest

from kernel.appointment_status import AppointmentStatus
from tests.domain.video.video_builders import END, RULES, START, participant, session
from video_svc.domain.errors import JoinTooEarly, JoinTooLate, SessionOver, WrongState
from video_svc.domain.joining import begin, come
from video_svc.domain.participant_states import ParticipantState
from video_svc.domain.session import Life, Session
from video_svc.domain.session_states import JOINABLE, EndReason, SessionState
from video_svc.domain.visit import ParticipantType

PATIENT, DOCTOR = ParticipantType.PATIENT, ParticipantType.DOCTOR
OPENS = START - timedelta(minutes=10)
CLOSES = END + timedelta(minutes=30)
A_MOMENT = timedelta(microseconds=1)


def came(found: Session, side: ParticipantType, now: datetime) -> Session:
    return come(found, side, participant(side).participant_id, RULES, now)


def began(found: Session, side: ParticipantType, now: datetime) -> Session:
    return begin(found, side, participant(side).participant_id, request_id="", rules=RULES, now=now)


@pytest.mark.parametrize("now", [OPENS, START, END, CLOSES - A_MOMENT])
def test_the_door_is_open_from_its_first_instant_to_just_before_its_last(now: datetime) -> None:
    (waiting,) = came(session(), PATIENT, now).participants
    assert (waiting.state, waiting.joined) == (ParticipantState.WAITING, now)


def test_a_moment_too_early_is_told_when_the_door_opens() -> None:
    with pytest.raises(JoinTooEarly) as refused:
        came(session(), PATIENT, OPENS - A_MOMENT)
    assert refused.value.metadata == {"open_time": "2026-03-04T14:50:00Z"}
    assert "2026-03-04T14:50:00Z" in refused.value.message


def test_the_instant_of_closing_is_too_late() -> None:
    with pytest.raises(JoinTooLate) as refused:
        came(session(), DOCTOR, CLOSES)
    assert refused.value.metadata == {"close_time": "2026-03-04T16:00:00Z"}


@pytest.mark.parametrize("status", sorted(set(AppointmentStatus) - JOINABLE, key=lambda status: status.name))
@pytest.mark.parametrize("now", [OPENS - timedelta(days=9), START, CLOSES + timedelta(days=9)])
def test_a_visit_that_is_not_on_says_so_whatever_the_time(status: AppointmentStatus, now: datetime) -> None:
    with pytest.raises(WrongState) as refused:
        came(session(status), PATIENT, now)
    assert refused.value.metadata == {"status": status.name}


def test_coming_again_keeps_the_time_of_coming() -> None:
    once = came(session(), PATIENT, START)
    again = came(once, PATIENT, START + timedelta(minutes=3))
    assert [one.joined for one in again.participants] == [START]
    assert [one.seen for one in again.participants] == [START + timedelta(minutes=3)]


def test_both_sides_come_in_the_order_of_their_coming() -> None:
    both = came(came(session(), DOCTOR, OPENS), PATIENT, START)
    assert [(one.side, one.joined) for one in both.present()] == [(DOCTOR, OPENS), (PATIENT, START)]


def test_whoever_came_before_the_visit_was_moved_comes_again() -> None:
    tomorrow = START + timedelta(days=1)
    moved = session(AppointmentStatus.CONFIRMED, participant(), start=tomorrow).standing(RULES)
    (waiting,) = came(moved, PATIENT, tomorrow).participants
    assert (waiting.state, waiting.joined) == (ParticipantState.WAITING, tomorrow)


def test_a_visit_under_way_can_be_come_back_to_after_its_door_has_closed() -> None:
    life = Life(SessionState.INTERRUPTED, CLOSES, START)
    away = session(AppointmentStatus.IN_PROGRESS, participant(state=ParticipantState.LEFT, attempt=1), life=life)
    (back,) = began(away, PATIENT, CLOSES + timedelta(minutes=1)).participants
    assert (back.state, back.attempt) == (ParticipantState.CONNECTING, 2)


def test_a_lost_visit_is_reopened_by_its_doctor_alone() -> None:
    life = Life(SessionState.ENDED, START, START, EndReason.CONNECTION_LOST)
    people = [participant(side, ParticipantState.LEFT, attempt=1) for side in ParticipantType]
    lost = session(AppointmentStatus.IN_PROGRESS, *people, life=life)
    with pytest.raises(SessionOver):
        began(lost, PATIENT, START + timedelta(minutes=1))
    reopened = began(lost, DOCTOR, START + timedelta(minutes=1))
    assert (reopened.life.state, reopened.life.end_reason) == (SessionState.OPEN, None)
    assert began(reopened, PATIENT, START + timedelta(minutes=2)).one(PATIENT).attempt == 2


def test_a_visit_that_the_doctor_has_ended_stays_ended() -> None:
    life = Life(SessionState.ENDED, START, START, EndReason.ENDED_BY_DOCTOR)
    with pytest.raises(SessionOver):
        began(session(AppointmentStatus.IN_PROGRESS, life=life), DOCTOR, START)
