"""Lets a doctor take new visits again."""

from dataclasses import dataclass

from chassis.clock import Clock
from chassis.context import Caller
from doctor_svc.app.activity import switch
from doctor_svc.app.ports import Unit
from doctor_svc.domain.doctor import Doctor


@dataclass(frozen=True, slots=True)
class ActivateDoctor:
    """The use case."""

    clock: Clock

    async def __call__(self, unit: Unit, caller: Caller, doctor_id: str) -> Doctor:
        """The doctor, active. Raises DoctorNotFound."""
        return await switch(unit, caller, doctor_id, self.clock(), is_active=True)
