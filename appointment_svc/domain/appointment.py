"""An appointment and the states it goes through."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from appointment_svc.domain.errors import TooEarly, TooLateToCancel, TooLateToReschedule, WrongState
from kernel.appointment_status import AppointmentStatus
from kernel.appointment_types import AppointmentType
from kernel.slots import Slot

# A doctor may let the patient in a little early.
START_AHEAD = timedelta(minutes=15)

# The states in which an appointment can still be moved to another time.
MOVABLE = frozenset({AppointmentStatus.HELD, AppointmentStatus.PENDING, AppointmentStatus.CONFIRMED})

# Which state may follow which; a state without a row is final.
TRANSITIONS: Mapping[AppointmentStatus, frozenset[AppointmentStatus]] = {
    AppointmentStatus.HELD: frozenset(
        {AppointmentStatus.CONFIRMED, AppointmentStatus.PENDING, AppointmentStatus.EXPIRED, AppointmentStatus.CANCELLED}
    ),
    AppointmentStatus.PENDING: frozenset({AppointmentStatus.CONFIRMED, AppointmentStatus.CANCELLED}),
    AppointmentStatus.CONFIRMED: frozenset(
        {AppointmentStatus.IN_PROGRESS, AppointmentStatus.CANCELLED, AppointmentStatus.NO_SHOW}
    ),
    AppointmentStatus.IN_PROGRESS: frozenset({AppointmentStatus.COMPLETED, AppointmentStatus.CANCELLED}),
}


@dataclass(frozen=True, slots=True)
class Appointment:
    """One visit of one patient with one doctor. Instants are aware, in UTC; ids are canonical UUIDs."""

    id: str
    patient_id: str
    doctor_id: str
    status: AppointmentStatus
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

    def moved_to(self, status: AppointmentStatus, now: datetime) -> "Appointment":
        """The appointment in another state. Raises WrongState when the table has no such transition."""
        if status not in TRANSITIONS.get(self.status, frozenset()):
            raise WrongState.of(self.status, status)
        return replace(self, status=status, version=self.version + 1, update_time=now)

    def rescheduled(self, slot: Slot, now: datetime, notice: timedelta) -> "Appointment":
        """The appointment at another time. Raises WrongState, or TooLateToReschedule with less than `notice` left."""
        if self.status not in MOVABLE:
            raise WrongState.of(self.status, "moved")
        if self.start - now < notice:
            raise TooLateToReschedule.of(self.start, notice)
        return replace(
            self, start=slot.start, end=slot.end, buffer=slot.buffer, version=self.version + 1, update_time=now
        )

    def started(self, now: datetime) -> "Appointment":
        """The visit under way. Raises WrongState, or TooEarly before a quarter of an hour ahead of its start."""
        under_way = self.moved_to(AppointmentStatus.IN_PROGRESS, now)
        if self.start - now > START_AHEAD:
            raise TooEarly.of("started", self.start - START_AHEAD)
        return under_way

    def completed(self, now: datetime) -> "Appointment":
        """The visit over. Raises WrongState."""
        return self.moved_to(AppointmentStatus.COMPLETED, now)

    def missed(self, now: datetime) -> "Appointment":
        """The visit to which the patient never came. Raises WrongState, or TooEarly before its start."""
        no_show = self.moved_to(AppointmentStatus.NO_SHOW, now)
        if now < self.start:
            raise TooEarly.of("marked as missed", self.start)
        return no_show

    def cancelled(self, reason: str, now: datetime, notice: timedelta) -> "Appointment":
        """The appointment called off. Raises WrongState, or TooLateToCancel when less than `notice` is left."""
        off = replace(self.moved_to(AppointmentStatus.CANCELLED, now), cancel_reason=reason)
        if self.start - now < notice:
            raise TooLateToCancel.of(self.start, now, notice)
        return off
