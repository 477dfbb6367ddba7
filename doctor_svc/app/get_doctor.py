"""Tells one doctor's profile."""

from dataclasses import dataclass

from chassis.context import Caller
from doctor_svc.app.access import is_self_or_staff
from doctor_svc.app.ports import Doctors
from doctor_svc.domain.doctor import Doctor
from doctor_svc.domain.errors import DoctorNotFound


@dataclass(frozen=True, slots=True)
class GetDoctor:
    """The use case."""

    doctors: Doctors

    async def __call__(self, caller: Caller, doctor_id: str) -> Doctor:
        """The doctor; one not verified or not active only to themselves and to staff. Raises DoctorNotFound."""
        doctor = await self.doctors.get(doctor_id)
        if doctor is None or not (doctor.is_public or is_self_or_staff(caller, doctor_id)):
            raise DoctorNotFound
        return doctor
