"""The states of an appointment, by one name in every service, and which of them keep time."""

from enum import StrEnum


class AppointmentStatus(StrEnum):
    """Where an appointment stands; the names are those of the contract."""

    HELD = "HELD"
    PENDING = "PENDING"
    CONFIRMED = "CONFIRMED"
    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"
    NO_SHOW = "NO_SHOW"
    EXPIRED = "EXPIRED"


# The states that keep the doctor's and the patient's time; every other state frees it.
OCCUPYING = frozenset(
    {
        AppointmentStatus.HELD,
        AppointmentStatus.PENDING,
        AppointmentStatus.CONFIRMED,
        AppointmentStatus.IN_PROGRESS,
    }
)
