"""Confirming, approving, coming and rating: the instants and states at which each is possible, and what it leaves."""

from dataclasses import replace
from datetime import timedelta

import pytest

from appointment_svc.domain.appointment import Appointment, Participant
from appointment_svc.domain.changes import Change, change_between
from appointment_svc.domain.errors import AlreadyRated, HoldExpired, TooLateToCancel, WrongState
from kernel.appointment_status import AppointmentStatus
from kernel.appointment_types import AppointmentType
from kernel.slots import Slot, SlotPriority
from tests.domain.appointment.test_lifecycle import START, appointment

HELD, PENDING, CONFIRMED = AppointmentStatus.HELD, AppointmentStatus.PENDING, AppointmentStatus.CONFIRMED
UNTIL = START - timedelta(hours=1)
AN_INSTANT = timedelta(microseconds=1)
LATER = Slot(
    START + timedelta(days=1),
    START + timedelta(days=1, minutes=20),
    AppointmentType.GENERAL_CONSULTATION,
    SlotPriority.AVAILABLE,
    timedelta(minutes=5),
    1,
)
CAME = appointment().arrived(Participant.PATIENT, START)


def hold(*, requires_approval: bool = False) -> Appointment:
    return replace(appointment(HELD), hold_expire_time=UNTIL, requires_approval=requires_approval)


@pytest.mark.parametrize(("requires_approval", "status"), [(False, CONFIRMED), (True, PENDING)])
def test_a_hold_is_confirmed_until_its_last_instant(requires_approval: bool, status: AppointmentStatus):
    confirmed = hold(requires_approval=requires_approval).confirmed(UNTIL - AN_INSTANT)
    assert (confirmed.status, confirmed.hold_expire_time, confirmed.version) == (status, None, 5)


def test_from_its_end_on_a_hold_is_neither_confirmed_nor_moved():
    for late in (UNTIL, UNTIL + timedelta(days=1)):
        with pytest.raises(HoldExpired, match="2026-03-04T09:00:00"):
            hold().confirmed(late)
        with pytest.raises(HoldExpired):
            hold().rescheduled(LATER, late, timedelta.min)


def test_a_hold_keeps_its_end_when_it_moves_and_when_it_expires_and_loses_it_otherwise():
    assert hold().rescheduled(LATER, UNTIL - AN_INSTANT, timedelta.max).hold_expire_time == UNTIL
    assert hold().moved_to(AppointmentStatus.EXPIRED, UNTIL).hold_expire_time == UNTIL
    assert hold().cancelled("", START, timedelta.max).hold_expire_time is None


def test_what_waits_for_approval_owes_the_notice_of_an_appointment():
    with pytest.raises(TooLateToCancel):
        appointment(PENDING).cancelled("", START, timedelta(hours=24))


def test_a_hold_is_confirmed_and_not_approved():
    assert appointment(PENDING).approved(START).status is CONFIRMED
    with pytest.raises(WrongState, match="HELD cannot become approved"):
        hold().approved(START)


def test_each_comes_once_and_a_move_forgets_who_came():
    came = appointment().arrived(Participant.PATIENT, START).arrived(Participant.DOCTOR, START + timedelta(minutes=1))
    assert (came.patient_arrival_time, came.doctor_arrival_time, came.version) == (
        START, START + timedelta(minutes=1), 6,
    )  # fmt: skip
    for who in Participant:
        assert came.arrived(who, START + timedelta(hours=1)) is came
    moved = came.rescheduled(LATER, START - timedelta(days=3), timedelta.min)
    assert (moved.patient_arrival_time, moved.doctor_arrival_time) == (None, None)


def test_a_rating_is_given_once():
    visit = appointment(AppointmentStatus.COMPLETED)
    rated = visit.rated(4, "kind", START)
    assert (rated.rating, rated.rating_comment, rated.version) == (4, "kind", 5)
    with pytest.raises(AlreadyRated):
        rated.rated(4, "kind", START)


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        (appointment(HELD), appointment(CONFIRMED), Change.CONFIRMED),
        (appointment(HELD), appointment(PENDING), Change.PENDING),
        (appointment(PENDING), appointment(CONFIRMED), Change.APPROVED),
        (appointment(HELD), appointment(AppointmentStatus.EXPIRED), Change.EXPIRED),
        (appointment(), appointment().arrived(Participant.DOCTOR, START), Change.ARRIVED),
        (
            appointment(AppointmentStatus.COMPLETED),
            appointment(AppointmentStatus.COMPLETED).rated(1, "", START),
            Change.RATED,
        ),
        (CAME, CAME.rescheduled(LATER, START - timedelta(days=9), timedelta.min), Change.RESCHEDULED),
        (appointment(), appointment().rescheduled(LATER, START - timedelta(days=9), timedelta.min), Change.RESCHEDULED),
    ],
)
def test_a_change_is_named_by_what_differs(before: Appointment, after: Appointment, change: Change):
    assert change_between(before, after) is change
