"""What can happen to an appointment, by the names of the contract, and which of it a change is."""

from datetime import datetime
from enum import StrEnum

from appointment_svc.domain.appointment import Appointment
from kernel.appointment_status import AppointmentStatus


class Change(StrEnum):
    """What happened."""

    BOOKED = "BOOKED"
    IMPORTED = "IMPORTED"
    HELD = "HELD"
    EXPIRED = "EXPIRED"
    PENDING = "PENDING"
    APPROVED = "APPROVED"
    CONFIRMED = "CONFIRMED"
    RESCHEDULED = "RESCHEDULED"
    ARRIVED = "ARRIVED"
    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"
    NO_SHOW = "NO_SHOW"
    RATED = "RATED"
    RULE_OVERRIDDEN = "RULE_OVERRIDDEN"


def change_between(before: Appointment, after: Appointment) -> Change:
    """What happened between two versions of one appointment; a change of state is named by the state."""
    if (before.status, after.status) == (AppointmentStatus.PENDING, AppointmentStatus.CONFIRMED):
        return Change.APPROVED
    if before.status is not after.status:
        return Change(after.status.value)
    if before.rating != after.rating:
        return Change.RATED
    # A move forgets who came, so that only an arrival there was not before is one.
    if len(_arrivals(after)) > len(_arrivals(before)):
        return Change.ARRIVED
    return Change.RESCHEDULED


def _arrivals(appointment: Appointment) -> list[datetime]:
    both = (appointment.patient_arrival_time, appointment.doctor_arrival_time)
    return [arrival for arrival in both if arrival is not None]
