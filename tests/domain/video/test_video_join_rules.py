"""Who is let in, and when: ten minutes before the start to thirty minutes after the end."""

from datetime import timedelta

import pytest

from kernel.appointment_status import AppointmentStatus
from tests.domain.video.video_builders import END, RULES, START, session
from video_svc.domain.errors import JoinTooEarly, JoinTooLate, WrongState
from video_svc.domain.joining import admit
from video_svc.domain.session import Arrival
from video_svc.domain.states import JOINABLE
from video_svc.domain.visit import ParticipantType

PATIENT, DOCTOR = ParticipantType.PATIENT, ParticipantType.DOCTOR
OPENS = START - timedelta(minutes=10)
CLOSES = END + timedelta(minutes=30)
A_MOMENT = timedelta(microseconds=1)


@pytest.mark.parametrize("now", [OPENS, START, END, CLOSES - A_MOMENT])
def test_the_door_is_open_from_its_first_instant_to_just_before_its_last(now) -> None:
    assert admit(session(), PATIENT, RULES, now).arrivals == (Arrival(PATIENT, now),)


def test_a_moment_too_early_is_told_when_the_door_opens() -> None:
    with pytest.raises(JoinTooEarly) as refused:
        admit(session(), PATIENT, RULES, OPENS - A_MOMENT)
    assert refused.value.metadata == {"open_time": "2026-03-04T14:50:00Z"}
    assert "2026-03-04T14:50:00Z" in refused.value.message


def test_the_instant_of_closing_is_too_late() -> None:
    with pytest.raises(JoinTooLate) as refused:
        admit(session(), DOCTOR, RULES, CLOSES)
    assert refused.value.metadata == {"close_time": "2026-03-04T16:00:00Z"}


@pytest.mark.parametrize("status", sorted(set(AppointmentStatus) - JOINABLE, key=lambda status: status.name))
@pytest.mark.parametrize("now", [OPENS - timedelta(days=9), START, CLOSES + timedelta(days=9)])
def test_a_visit_that_is_not_on_says_so_whatever_the_time(status: AppointmentStatus, now) -> None:
    with pytest.raises(WrongState) as refused:
        admit(session(status), PATIENT, RULES, now)
    assert refused.value.metadata == {"status": status.name}


def test_coming_again_changes_nothing() -> None:
    once = admit(session(), PATIENT, RULES, START)
    assert admit(once, PATIENT, RULES, START + timedelta(minutes=3)) is once


def test_both_sides_come_in_the_order_of_their_coming() -> None:
    both = admit(admit(session(), DOCTOR, RULES, OPENS), PATIENT, RULES, START)
    assert both.arrivals == (Arrival(DOCTOR, OPENS), Arrival(PATIENT, START))


def test_whoever_came_before_the_visit_was_moved_comes_again() -> None:
    tomorrow = START + timedelta(days=1)
    moved = session(AppointmentStatus.CONFIRMED, Arrival(PATIENT, START), start=tomorrow)
    assert admit(moved, PATIENT, RULES, tomorrow).arrivals == (Arrival(PATIENT, tomorrow),)
