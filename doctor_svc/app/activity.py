"""What switching a doctor on and off have in common."""

from datetime import datetime

from chassis.context import Caller
from doctor_svc.app.access import is_self_or_staff
from doctor_svc.app.ports import Unit
from doctor_svc.domain.doctor import Doctor
from doctor_svc.domain.errors import DoctorNotFound
from doctor_svc.domain.profile_changes import with_activity


async def switch(unit: Unit, caller: Caller, doctor_id: str, now: datetime, *, is_active: bool) -> Doctor:
    """The doctor as switched; stored only when that changes something. Raises DoctorNotFound, also for a stranger."""
    taken = await unit.take_doctor(doctor_id) if is_self_or_staff(caller, doctor_id) else None
    if taken is None:
        raise DoctorNotFound
    doctor, private = taken
    changed = with_activity(doctor, now, is_active=is_active)
    if changed is not doctor:
        await unit.put_doctor(changed, private)
    return changed
