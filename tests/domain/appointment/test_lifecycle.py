"""The lifecycle of an appointment: which state may follow which, and when."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from appointment_svc.domain.appointment import TRANSITIONS, Appointment
from appointment_svc.domain.errors import TooEarly, TooLateToCancel, WrongState
from kernel.appointment_status import AppointmentStatus
from kernel.appointment_types import AppointmentType

START = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)
ALLOWED = {
    ("HELD", "CONFIRMED"),
    ("HELD", "PENDING"),
    ("HELD", "EXPIRED"),
    ("HELD", "CANCELLED"),
    ("PENDING", "CONFIRMED"),
    ("PENDING", "CANCELLED"),
    ("CONFIRMED", "IN_PROGRESS"),
    ("CONFIRMED", "CANCELLED"),
    ("CONFIRMED", "NO_SHOW"),
    ("IN_PROGRESS", "COMPLETED"),
    ("IN_PROGRESS", "CANCELLED"),
}
CONFIRMED, IN_PROGRESS = AppointmentStatus.CONFIRMED, AppointmentStatus.IN_PROGRESS


def appointment(status: AppointmentStatus = CONFIRMED) -> Appointment:
    return Appointment(
        id="a",
        patient_id="p",
        doctor_id="d",
        status=status,
        kind=AppointmentType.GENERAL_CONSULTATION,
        start=START,
        end=START + timedelta(minutes=30),
        buffer=timedelta(minutes=10),
        seat=0,
        timezone="UTC",
        specialty_required="",
        patient_notes="",
        match_score=0.5,
        is_preferred_doctor=False,
        cancel_reason="",
        version=4,
        create_time=START - timedelta(days=3),
        update_time=START - timedelta(days=3),
    )


@pytest.mark.parametrize("to", AppointmentStatus)
@pytest.mark.parametrize("status", AppointmentStatus)
def test_each_of_the_sixty_four_pairs_is_allowed_or_refused_by_name(status: AppointmentStatus, to: AppointmentStatus):
    if (status.value, to.value) in ALLOWED:
        moved = appointment(status).moved_to(to, START)
        assert (moved.status, moved.version, moved.update_time) == (to, 5, START)
    else:
        with pytest.raises(WrongState, match=f"{status} cannot become {to}"):
            appointment(status).moved_to(to, START)


def test_the_table_names_no_final_state():
    assert {from_ for from_, _ in ALLOWED} == {status.value for status in TRANSITIONS}


def test_a_visit_starts_from_a_quarter_of_an_hour_ahead_and_not_a_second_before():
    assert appointment().started(START - timedelta(minutes=15)).status is IN_PROGRESS
    with pytest.raises(TooEarly, match="09:45:00"):
        appointment().started(START - timedelta(minutes=15, seconds=1))


def test_nobody_is_missed_before_the_start():
    assert appointment().missed(START).status is AppointmentStatus.NO_SHOW
    with pytest.raises(TooEarly):
        appointment().missed(START - timedelta(seconds=1))


def test_a_visit_under_way_is_completed():
    assert appointment(IN_PROGRESS).completed(START).status is AppointmentStatus.COMPLETED


@pytest.mark.parametrize(("ahead", "is_late"), [(timedelta(hours=24), False), (timedelta(hours=24, seconds=-1), True)])
def test_a_patients_notice_is_a_whole_day(ahead: timedelta, is_late: bool):
    order = {"reason": "ill", "now": START - ahead, "notice": timedelta(hours=24)}
    if is_late:
        with pytest.raises(TooLateToCancel, match="24 hours"):
            appointment().cancelled(**order)
    else:
        cancelled = appointment().cancelled(**order)
        assert cancelled == replace(
            appointment(),
            status=AppointmentStatus.CANCELLED,
            cancel_reason="ill",
            version=5,
            update_time=START - ahead,
        )
