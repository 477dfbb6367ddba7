"""A session stands where the newest version of its appointment and the arrivals put it, in whatever order they came."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.appointment_status import AppointmentStatus
from tests.domain.video.video_builders import APPOINTMENT, RULES, SESSION, START, session, visit
from video_svc.domain.session import Arrival, Session
from video_svc.domain.states import JOINABLE, STATES, SessionState, state_of
from video_svc.domain.visit import ParticipantType, Visit, newer, newest_of

OTHER = "0190a1b2-c3d4-7e5f-8a9b-ffffffffffff"
CAME = Arrival(ParticipantType.PATIENT, START)


def test_every_status_of_an_appointment_has_its_row() -> None:
    assert set(STATES) == set(AppointmentStatus)


@pytest.mark.parametrize("status", [AppointmentStatus.CANCELLED, AppointmentStatus.NO_SHOW, AppointmentStatus.EXPIRED])
@pytest.mark.parametrize("somebody_came", [True, False])
def test_a_visit_that_was_called_off_cancels_its_session(status: AppointmentStatus, *, somebody_came: bool) -> None:
    assert state_of(status, somebody_came=somebody_came) is SessionState.CANCELLED


@pytest.mark.parametrize("somebody_came", [True, False])
def test_a_completed_visit_ends_its_session(*, somebody_came: bool) -> None:
    assert state_of(AppointmentStatus.COMPLETED, somebody_came=somebody_came) is SessionState.ENDED


@pytest.mark.parametrize("status", sorted(JOINABLE, key=lambda status: status.name))
def test_the_first_arrival_opens_a_scheduled_session(status: AppointmentStatus) -> None:
    assert session(status).state(RULES) is SessionState.SCHEDULED
    assert session(status, CAME).state(RULES) is SessionState.OPEN


def test_a_visit_moved_to_another_day_is_scheduled_again() -> None:
    moved = session(AppointmentStatus.CONFIRMED, CAME, start=START + timedelta(days=1))
    assert moved.present(RULES) == ()
    assert moved.state(RULES) is SessionState.SCHEDULED


def test_a_visit_moved_by_five_minutes_keeps_who_has_come() -> None:
    moved = session(AppointmentStatus.CONFIRMED, CAME, start=START + timedelta(minutes=5))
    assert moved.present(RULES) == (CAME,)


@st.composite
def histories(draw: st.DrawFn) -> list[Visit]:
    """What two appointments went through: one visit a version, any status, any time."""
    return [
        visit(
            draw(st.sampled_from(AppointmentStatus)),
            appointment_id=appointment_id,
            start=START + timedelta(minutes=draw(st.integers(-600, 600))),
            version=version,
        )
        for appointment_id in (APPOINTMENT, OTHER)
        for version in range(1, draw(st.integers(2, 7)))
    ]


@given(histories(), st.data())
def test_any_order_and_any_repetition_end_in_the_newest_version(history: list[Visit], data: st.DataObject) -> None:
    newest = {item.appointment_id: item for item in history}
    repeated = history + data.draw(st.lists(st.sampled_from(history)))
    told = data.draw(st.permutations(repeated))
    split = data.draw(st.integers(0, len(told)))

    kept: dict[str, Visit] = {}
    for batch in (told[:split], told[split:]):
        for heard in newest_of(batch):
            kept[heard.appointment_id] = newer(kept.get(heard.appointment_id), heard)

    assert kept == newest
    for appointment_id, known in kept.items():
        assert Session(SESSION, known).state(RULES) is STATES[newest[appointment_id].status].nobody_came


def test_a_batch_holds_each_appointment_once_in_the_order_of_their_ids() -> None:
    batch = [visit(appointment_id=OTHER), visit(version=2), visit(version=1)]
    assert newest_of(batch) == [visit(version=2), visit(appointment_id=OTHER)]


def test_a_visit_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="timezone-aware"):
        visit(start=START.replace(tzinfo=None))
