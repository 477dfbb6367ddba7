"""An appointment and the states it goes through."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from appointment_svc.domain.errors import TooLateToCancel, WrongState
from kernel.appointment_types import AppointmentType


class Status(StrEnum):
    """Where an appointment stands."""

    HELD = "HELD"
    PENDING = "PENDING"
    CONFIRMED = "CONFIRMED"
    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"
    NO_SHOW = "NO_SHOW"
    EXPIRED = "EXPIRED"


# Which state may follow which; a state without a row is final.
TRANSITIONS: Mapping[Status, frozenset[Status]] = {
    Status.HELD: frozenset({Status.CONFIRMED, Status.PENDING, Status.EXPIRED, Status.CANCELLED}),
    Status.PENDING: frozenset({Status.CONFIRMED, Status.CANCELLED}),
    Status.CONFIRMED: frozenset({Status.IN_PROGRESS, Status.CANCELLED, Status.NO_SHOW}),
    Status.IN_PROGRESS: frozenset({Status.COMPLETED, Status.CANCELLED}),
}

# The states that keep the doctor's and the patient's time.
OCCUPYING = frozenset({Status.HELD, Status.PENDING, Status.CONFIRMED, Status.IN_PROGRESS})


@dataclass(frozen=True, slots=True)
class Appointment:
    """One visit of one patient with one doctor. Instants are aware, in UTC; ids are canonical UUIDs."""

    id: str
    patient_id: str
    doctor_id: str
    status: Status
    kind: AppointmentType
    start: datetime
    end: datetime
    buffer: timedelta
    seat: int
    timezone: str
    specialty_required: str
    patient_notes: str
    match_score: float
    is_preferred_doctor: bool
    cancel_reason: str
    version: int
    create_time: datetime
    update_time: datetime

    @property
    def etag(self) -> str:
        """The version as callers see it."""
        return str(self.version)

    def moved_to(self, status: Status, now: datetime) -> "Appointment":
        """The appointment in another state. Raises WrongState when the table has no such transition."""
        if status not in TRANSITIONS.get(self.status, frozenset()):
            raise WrongState.of(self.status, status)
        return replace(self, status=status, version=self.version + 1, update_time=now)

    def cancelled(self, reason: str, now: datetime, notice: timedelta) -> "Appointment":
        """The appointment called off. Raises WrongState, or TooLateToCancel when less than `notice` is left."""
        off = replace(self.moved_to(Status.CANCELLED, now), cancel_reason=reason)
        if self.start - now < notice:
            raise TooLateToCancel.of(self.start, now, notice)
        return off
