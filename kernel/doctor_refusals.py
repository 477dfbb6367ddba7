"""The refusals of a doctor that both the doctor service and booking utter."""

from kernel.errors import Kind, Refusal


class DoctorUnverified(Refusal):
    """The doctor's licence has not been checked."""

    kind = Kind.FAILED_PRECONDITION
    reason = "DOCTOR_UNVERIFIED"
    subject = "doctor"

    def __init__(self) -> None:
        super().__init__("this doctor is not verified yet and cannot be booked")


class SpecialtyNotAvailable(Refusal):
    """No verified doctor, or not the doctor asked for, has the specialty."""

    kind = Kind.NOT_FOUND
    reason = "SPECIALTY_NOT_AVAILABLE"
    subject = "doctor"

    def __init__(self, specialty: str) -> None:
        super().__init__(f"No {specialty} doctors available at this time")
