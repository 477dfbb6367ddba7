"""Takes a doctor out of everyone's sight: no new visits, while those that are booked stay booked."""

from dataclasses import dataclass

from chassis.clock import Clock
from chassis.context import Caller
from doctor_svc.app.activity import switch
from doctor_svc.app.ports import Unit
from doctor_svc.domain.doctor import Doctor


@dataclass(frozen=True, slots=True)
class DeactivateDoctor:
    """The use case."""

    clock: Clock

    async def __call__(self, unit: Unit, caller: Caller, doctor_id: str) -> Doctor:
        """The doctor, not active. Raises DoctorNotFound, also for somebody else."""
        return await switch(unit, caller, doctor_id, self.clock(), is_active=False)
