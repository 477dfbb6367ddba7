"""Visits, participants and sessions for tests of the video service; what a test does not care about is filled in."""

from datetime import UTC, datetime, timedelta

from kernel.appointment_status import AppointmentStatus
from video_svc.domain.participant import Participant
from video_svc.domain.participant_states import ParticipantState
from video_svc.domain.session import JoinRules, Life, Session
from video_svc.domain.visit import ParticipantType, Visit

START = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
END = START + timedelta(minutes=30)
RULES = JoinRules(opens_before=timedelta(minutes=10), closes_after=timedelta(minutes=30))
SESSION = "5d0f3f0e-53a5-4d5c-8d4e-0a4e4b1f7a11"
APPOINTMENT = "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"
PATIENT = "11111111-1111-4111-8111-111111111111"
DOCTOR = "22222222-2222-4222-8222-222222222222"
_IDS = {
    ParticipantType.PATIENT: "33333333-3333-4333-8333-333333333333",
    ParticipantType.DOCTOR: "44444444-4444-4444-8444-444444444444",
}


def visit(
    status: AppointmentStatus = AppointmentStatus.CONFIRMED,
    *,
    appointment_id: str = APPOINTMENT,
    start: datetime = START,
    version: int = 1,
) -> Visit:
    """Half an hour of the one patient with the one doctor."""
    return Visit(appointment_id, PATIENT, DOCTOR, status, start, start + timedelta(minutes=30), version)


def participant(
    side: ParticipantType = ParticipantType.PATIENT,
    state: ParticipantState = ParticipantState.WAITING,
    *,
    now: datetime = START,
    attempt: int = 0,
) -> Participant:
    """Somebody who came at `now` and has stood there since."""
    return Participant(_IDS[side], side, state, joined=now, changed=now, seen=now, attempt=attempt)


def session(
    status: AppointmentStatus = AppointmentStatus.CONFIRMED,
    *people: Participant,
    start: datetime = START,
    life: Life | None = None,
) -> Session:
    """The session of that visit."""
    return Session(SESSION, visit(status, start=start), people, life or Life())
