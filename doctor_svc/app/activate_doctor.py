"""Lets a doctor take new visits again."""

from dataclasses import dataclass

from chassis.clock import Clock
from chassis.context import Caller
from doctor_svc.app.access import is_self_or_staff
from doctor_svc.app.ports import Unit
from doctor_svc.domain.doctor import Doctor
from doctor_svc.domain.errors import DoctorNotFound
from doctor_svc.domain.profile_changes import with_activity


@dataclass(frozen=True, slots=True)
class ActivateDoctor:
    """The use case."""

    clock: Clock

    async def __call__(self, unit: Unit, caller: Caller, doctor_id: str) -> Doctor:
        """The doctor, active. Raises DoctorNotFound."""
        taken = await unit.take_doctor(doctor_id) if is_self_or_staff(caller, doctor_id) else None
        if taken is None:
            raise DoctorNotFound
        doctor, private = taken
        changed = with_activity(doctor, self.clock(), is_active=True)
        if changed is not doctor:
            await unit.put_doctor(changed, private)
        return changed
