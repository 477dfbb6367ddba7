"""Says that a doctor's licence was checked, or takes that back."""

from dataclasses import dataclass

from chassis.clock import Clock
from doctor_svc.app.ports import Unit
from doctor_svc.domain.doctor import Doctor
from doctor_svc.domain.errors import DoctorNotFound


@dataclass(frozen=True, slots=True)
class VerifyDoctor:
    """The use case."""

    clock: Clock

    async def __call__(self, unit: Unit, doctor_id: str, *, is_verified: bool) -> Doctor:
        """The doctor after the verdict. Raises DoctorNotFound."""
        doctor = await unit.set_verified(doctor_id, self.clock(), is_verified=is_verified)
        if doctor is None:
            raise DoctorNotFound
        return doctor
