"""The one vocabulary of appointment types, with the default length of each and the time kept free after it."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

MIN_VISIT = timedelta(minutes=5)
MAX_VISIT = timedelta(minutes=240)


class AppointmentType(StrEnum):
    """The kind of a visit, by the name that browsers see."""

    GENERAL_CONSULTATION = "GeneralConsultation"
    INITIAL_CONSULTATION = "InitialConsultation"
    FOLLOW_UP = "FollowUp"
    SPECIALTY_CONSULTATION = "SpecialtyConsultation"
    MENTAL_HEALTH = "MentalHealth"
    WOMENS_HEALTH = "WomensHealth"
    PRESCRIPTION_RENEWAL = "PrescriptionRenewal"
    MEDICAL_CERTIFICATE = "MedicalCertificate"
    TELEHEALTH_CHECK_IN = "TelehealthCheckIn"
    GROUP_SESSION = "GroupSession"
    EMERGENCY = "Emergency"


@dataclass(frozen=True, slots=True)
class TypeDefaults:
    """Minutes of a visit and of the buffer after it; a buffer of None means the clinic's own default."""

    duration_minutes: int
    buffer_minutes: int | None


_CLINIC = None

DEFAULTS: dict[AppointmentType, TypeDefaults] = {
    AppointmentType.GENERAL_CONSULTATION: TypeDefaults(30, _CLINIC),
    AppointmentType.INITIAL_CONSULTATION: TypeDefaults(45, 15),
    AppointmentType.FOLLOW_UP: TypeDefaults(20, _CLINIC),
    AppointmentType.SPECIALTY_CONSULTATION: TypeDefaults(45, 15),
    AppointmentType.MENTAL_HEALTH: TypeDefaults(45, 15),
    AppointmentType.WOMENS_HEALTH: TypeDefaults(30, _CLINIC),
    AppointmentType.PRESCRIPTION_RENEWAL: TypeDefaults(15, 5),
    AppointmentType.MEDICAL_CERTIFICATE: TypeDefaults(10, 5),
    AppointmentType.TELEHEALTH_CHECK_IN: TypeDefaults(15, 5),
    AppointmentType.GROUP_SESSION: TypeDefaults(60, _CLINIC),
    AppointmentType.EMERGENCY: TypeDefaults(30, 5),
}


def default_duration(kind: AppointmentType) -> timedelta:
    """The length of a visit of this kind when nobody says otherwise."""
    return timedelta(minutes=DEFAULTS[kind].duration_minutes)


def default_buffer(kind: AppointmentType, clinic_default: timedelta) -> timedelta:
    """The time kept free after a visit of this kind when nobody says otherwise."""
    minutes = DEFAULTS[kind].buffer_minutes
    return clinic_default if minutes is None else timedelta(minutes=minutes)
