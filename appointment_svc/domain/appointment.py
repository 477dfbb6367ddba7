"""An appointment and the states it goes through."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from appointment_svc.domain.errors import (
    AlreadyRated,
    HoldExpired,
    TooEarly,
    TooLateToCancel,
    TooLateToReschedule,
    WrongState,
)
from kernel.appointment_status import AppointmentStatus
from kernel.appointment_types import AppointmentType
from kernel.slots import Slot

# A doctor may let the patient in a little early.
START_AHEAD = timedelta(minutes=15)

# The states in which an appointment can still be moved to another time.
MOVABLE = frozenset({AppointmentStatus.HELD, AppointmentStatus.PENDING, AppointmentStatus.CONFIRMED})

# The states in which somebody can come to the visit.
JOINABLE = frozenset({AppointmentStatus.CONFIRMED, AppointmentStatus.IN_PROGRESS})

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


class Participant(StrEnum):
    """Whose coming to a visit is noted."""

    PATIENT = "PATIENT"
    DOCTOR = "DOCTOR"


@dataclass(frozen=True, slots=True)
class Appointment:
    """One visit of one patient with one doctor. Instants are aware, in UTC; ids are canonical UUIDs.

    `hold_expire_time` is set while HELD and once EXPIRED; a hold without one (imported) never runs out by itself.
    `requires_approval` is what the doctor wanted when the time was offered. `rating` is 1 to 5, None until the patient
    has given one.
    """

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
    hold_expire_time: datetime | None = None
    requires_approval: bool = False
    match_policy_version: int = 0
    patient_arrival_time: datetime | None = None
    doctor_arrival_time: datetime | None = None
    rating: int | None = None
    rating_comment: str = ""

    @property
    def etag(self) -> str:
        """The version as callers see it."""
        return str(self.version)

    def moved_to(self, status: AppointmentStatus, now: datetime) -> "Appointment":
        """The appointment in another state. Raises WrongState when the table has no such transition."""
        if status not in TRANSITIONS.get(self.status, frozenset()):
            raise WrongState.of(self.status, status)
        # Only an expired hold goes on to tell when it ran out.
        expired = self.hold_expire_time if status is AppointmentStatus.EXPIRED else None
        return replace(self, status=status, version=self.version + 1, update_time=now, hold_expire_time=expired)

    def confirmed(self, asked: datetime) -> "Appointment":
        """The hold as an appointment, or as one that the doctor has yet to approve.

        `asked` is when the confirmation was asked for, by the clock of the database. Raises WrongState, or HoldExpired
        from the very instant on at which the hold runs out.
        """
        if self.status is AppointmentStatus.EXPIRED:
            raise HoldExpired.of(self.hold_expire_time or self.update_time)
        if self.status is not AppointmentStatus.HELD:
            raise WrongState.of(self.status, AppointmentStatus.CONFIRMED)
        if self.hold_expire_time is not None and asked >= self.hold_expire_time:
            raise HoldExpired.of(self.hold_expire_time)
        status = AppointmentStatus.PENDING if self.requires_approval else AppointmentStatus.CONFIRMED
        return self.moved_to(status, asked)

    def approved(self, now: datetime) -> "Appointment":
        """The visit that the doctor agrees to. Raises WrongState; a hold is confirmed, not approved."""
        if self.status is not AppointmentStatus.PENDING:
            raise WrongState.of(self.status, "approved")
        return self.moved_to(AppointmentStatus.CONFIRMED, now)

    def arrived(self, who: Participant, now: datetime) -> "Appointment":
        """The visit to which the patient or the doctor has come; the first time counts. Raises WrongState."""
        if self.status not in JOINABLE:
            raise WrongState.of(self.status, "joined")
        patient, doctor = self.patient_arrival_time, self.doctor_arrival_time
        if who is Participant.PATIENT:
            patient = patient or now
        else:
            doctor = doctor or now
        if (patient, doctor) == (self.patient_arrival_time, self.doctor_arrival_time):
            return self
        return replace(
            self,
            patient_arrival_time=patient,
            doctor_arrival_time=doctor,
            version=self.version + 1,
            update_time=now,
        )

    def rated(self, rating: int, comment: str, now: datetime) -> "Appointment":
        """The completed visit with what its patient made of it. Raises WrongState, or AlreadyRated the second time."""
        if self.status is not AppointmentStatus.COMPLETED:
            raise WrongState.of(self.status, "rated")
        if self.rating is not None:
            raise AlreadyRated.of()
        return replace(self, rating=rating, rating_comment=comment, version=self.version + 1, update_time=now)

    def rescheduled(self, slot: Slot, now: datetime, notice: timedelta) -> "Appointment":
        """The appointment at another time. Raises WrongState, or TooLateToReschedule with less than `notice` left.

        A hold needs no notice, and keeps the instant at which it runs out: from then on HoldExpired is raised.
        """
        if self.status not in MOVABLE:
            raise WrongState.of(self.status, "moved")
        if self.hold_expire_time is not None and now >= self.hold_expire_time:
            raise HoldExpired.of(self.hold_expire_time)
        if self.status is not AppointmentStatus.HELD and self.start - now < notice:
            raise TooLateToReschedule.of(self.start, notice)
        return replace(
            self,
            start=slot.start,
            end=slot.end,
            buffer=slot.buffer,
            # Whoever came, came to another time.
            patient_arrival_time=None,
            doctor_arrival_time=None,
            version=self.version + 1,
            update_time=now,
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
        """The appointment called off. Raises WrongState, or TooLateToCancel when less than `notice` is left.

        A hold needs no notice: nobody counts on it yet.
        """
        off = replace(self.moved_to(AppointmentStatus.CANCELLED, now), cancel_reason=reason)
        if self.status is not AppointmentStatus.HELD and self.start - now < notice:
            raise TooLateToCancel.of(self.start, now, notice)
        return off
