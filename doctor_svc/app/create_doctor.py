"""Adds a doctor, not yet verified."""

from dataclasses import dataclass

from chassis.clock import Clock
from chassis.ids import uuid7
from doctor_svc.app.ports import Unit
from doctor_svc.domain.doctor import Doctor, PrivateDetails, Profile, require_valid


@dataclass(frozen=True, slots=True)
class CreateDoctor:
    """The use case."""

    clock: Clock

    async def __call__(self, unit: Unit, profile: Profile, private: PrivateDetails) -> Doctor:
        """The doctor added. Raises InvalidArgument with every wrong field, EmailTaken."""
        now = self.clock()
        require_valid(profile, private, now.date())
        doctor = Doctor(
            doctor_id=str(uuid7(now)),
            profile=profile,
            is_verified=False,
            rating=0.0,
            rating_count=0,
            version=1,
            create_time=now,
            update_time=now,
        )
        await unit.add_doctor(doctor, private)
        return doctor
