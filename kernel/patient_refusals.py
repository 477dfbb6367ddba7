"""What is refused about all that is kept of one patient, in whichever service."""

from collections.abc import Sequence

from kernel.errors import Kind, Refusal

_MOST_NAMED = 20


class PatientHasAppointments(Refusal):
    """Nothing is erased of somebody who is still to be treated."""

    kind = Kind.FAILED_PRECONDITION
    reason = "PATIENT_HAS_APPOINTMENTS"

    @classmethod
    def of(cls, appointment_ids: Sequence[str]) -> "PatientHasAppointments":
        """The refusal, with the appointments that are to be cancelled or completed first; the first twenty of them."""
        return cls(
            f"the patient has {len(appointment_ids)} appointment(s) that are not over: cancel or complete them first",
            metadata={
                "appointment_count": str(len(appointment_ids)),
                "appointment_ids": ",".join(appointment_ids[:_MOST_NAMED]),
            },
        )
