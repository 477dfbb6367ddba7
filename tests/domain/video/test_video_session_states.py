"""Where a session stands: what happened in it, the newest word of its appointment, and the clock."""

from datetime import timedelta

import pytest

from kernel.appointment_status import AppointmentStatus
from tests.domain.video.video_builders import END, RULES, START, participant, session
from video_svc.domain.participant_states import PARTICIPANT_TABLE, ParticipantEvent, ParticipantState
from video_svc.domain.presence import at, ended
from video_svc.domain.session import Life, Session
from video_svc.domain.session_states import OVER, SESSION_TABLE, EndReason, SessionEvent, SessionState, after
from video_svc.domain.visit import ParticipantType

PATIENT, DOCTOR = ParticipantType.PATIENT, ParticipantType.DOCTOR
CONNECTED = ParticipantState.CONNECTED


def live() -> Session:
    """A visit in which both have been connected since its start."""
    people = [participant(side, ParticipantState.CONNECTING, attempt=1) for side in ParticipantType]
    found = session(AppointmentStatus.IN_PROGRESS)
    for one in people:
        found = found.with_participant(one.after(ParticipantEvent.CONNECTED, START), START)
    return found


@pytest.mark.parametrize(
    ("status", "nobody_came", "somebody_came"),
    [
        (AppointmentStatus.HELD, SessionState.SCHEDULED, SessionState.OPEN),
        (AppointmentStatus.PENDING, SessionState.SCHEDULED, SessionState.OPEN),
        (AppointmentStatus.CONFIRMED, SessionState.SCHEDULED, SessionState.OPEN),
        (AppointmentStatus.IN_PROGRESS, SessionState.SCHEDULED, SessionState.OPEN),
        (AppointmentStatus.COMPLETED, SessionState.ENDED, SessionState.ENDED),
        (AppointmentStatus.CANCELLED, SessionState.CANCELLED, SessionState.CANCELLED),
        (AppointmentStatus.NO_SHOW, SessionState.NO_SHOW, SessionState.NO_SHOW),
        (AppointmentStatus.EXPIRED, SessionState.CANCELLED, SessionState.CANCELLED),
    ],
)
def test_the_appointment_has_the_last_word(
    status: AppointmentStatus, nobody_came: SessionState, somebody_came: SessionState
) -> None:
    assert session(status).state(RULES, START) is nobody_came
    came = session(status).with_participant(participant(), START)
    assert came.state(RULES, START) is somebody_came


def test_every_status_of_an_appointment_was_thought_of() -> None:
    assert {session(status).state(RULES, START) for status in AppointmentStatus} <= set(SessionState)


def test_a_visit_is_live_while_both_are_connected_and_interrupted_when_one_is_not() -> None:
    both = live()
    assert (both.life.state, both.life.began) == (SessionState.LIVE, START)
    later = START + timedelta(minutes=3)
    alone = both.with_participant(both.one(PATIENT).after(ParticipantEvent.DISCONNECTED, later), later)
    assert (alone.life.state, alone.life.changed, alone.life.began) == (SessionState.INTERRUPTED, later, START)
    back = alone.with_participant(alone.one(PATIENT).after(ParticipantEvent.CONNECTED, later), later)
    assert (back.life.state, back.life.began) == (SessionState.LIVE, START)


def test_a_visit_moved_to_another_day_is_scheduled_again_and_attempts_go_on_counting() -> None:
    came = session(AppointmentStatus.CONFIRMED).with_participant(participant(attempt=3), START)
    moved = Session(came.session_id, session(start=START + timedelta(days=1)).visit, came.participants, came.life)
    standing = moved.standing(RULES)
    assert standing.present() == ()
    assert standing.state(RULES, START) is SessionState.SCHEDULED
    assert standing.one(PATIENT).attempt == 3


def test_a_visit_moved_by_five_minutes_keeps_who_has_come() -> None:
    came = session(start=START + timedelta(minutes=5)).with_participant(participant(), START)
    assert came.standing(RULES) == came


def test_a_visit_that_never_began_expires_with_its_door() -> None:
    closes = END + timedelta(minutes=30)
    came = session(AppointmentStatus.CONFIRMED).with_participant(participant(), START)
    for one in (session(), came):
        assert one.state(RULES, closes) is SessionState.EXPIRED
        assert one.state(RULES, closes - timedelta(microseconds=1)) is not SessionState.EXPIRED
    assert live().state(RULES, closes) is SessionState.LIVE


def test_whoever_was_silent_for_45_seconds_has_left() -> None:
    quiet = at(live(), RULES, START + timedelta(seconds=44))
    assert {one.state for one in quiet.participants} == {CONNECTED}
    gone = at(live(), RULES, START + timedelta(seconds=45))
    assert {one.state for one in gone.participants} == {ParticipantState.LEFT}
    assert gone.life.state is SessionState.INTERRUPTED


def test_nobody_has_to_report_from_the_waiting_room() -> None:
    waiting = session(AppointmentStatus.CONFIRMED).with_participant(participant(), START)
    assert at(waiting, RULES, START + timedelta(minutes=20)) == waiting


def test_an_interruption_of_five_minutes_ends_the_visit_as_lost() -> None:
    broken = at(live(), RULES, START + timedelta(seconds=45))
    assert at(broken, RULES, START + timedelta(seconds=45 + 299)).life.state is SessionState.INTERRUPTED
    lost = at(broken, RULES, START + timedelta(seconds=45 + 300))
    assert (lost.life.state, lost.life.end_reason) == (SessionState.ENDED, EndReason.CONNECTION_LOST)


def test_a_visit_ends_by_itself_after_two_hours_and_everybody_has_left() -> None:
    over = at(live(), RULES, START + timedelta(hours=2))
    assert (over.life.state, over.life.end_reason) == (SessionState.ENDED, EndReason.MAX_DURATION)
    assert {one.state for one in over.participants} == {ParticipantState.LEFT}


def test_ending_twice_is_ending_once() -> None:
    once = ended(live(), START)
    assert once.life.end_reason is EndReason.ENDED_BY_DOCTOR
    assert ended(once, START + timedelta(minutes=1)) == once


def test_nothing_leaves_a_state_that_is_final() -> None:
    reopening = (SessionState.ENDED, SessionEvent.REOPENED)
    for state in OVER:
        for event in SessionEvent:
            assert (state, event) == reopening or after(state, event) is state
    assert not any(state is ParticipantState.REMOVED for state, _ in PARTICIPANT_TABLE)


def test_every_state_can_be_reached() -> None:
    assert {SessionState.SCHEDULED, *SESSION_TABLE.values()} == set(SessionState)
    assert {ParticipantState.INVITED, *PARTICIPANT_TABLE.values()} == set(ParticipantState)


def test_a_life_that_nothing_happens_to_is_the_same_object() -> None:
    life = Life()
    assert life.after(SessionEvent.PAIR_BROKEN, START) is life
