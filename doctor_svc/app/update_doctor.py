"""Changes some fields of a doctor's profile."""

from dataclasses import dataclass

from chassis.clock import Clock
from chassis.context import Caller
from doctor_svc.app.access import is_self_or_staff
from doctor_svc.app.ports import Unit
from doctor_svc.domain.doctor import Doctor
from doctor_svc.domain.errors import DoctorNotFound
from doctor_svc.domain.profile_changes import Patch, patched
from kernel.errors import EtagMismatch


@dataclass(frozen=True, slots=True)
class UpdateDoctor:
    """The use case."""

    clock: Clock

    async def __call__(self, unit: Unit, caller: Caller, doctor_id: str, patch: Patch, etag: str) -> Doctor:
        """The doctor after the change, made to the version of `etag`; empty means whichever there is.

        Raises DoctorNotFound, EtagMismatch, InvalidArgument with every wrong field, EmailTaken.
        """
        taken = await unit.take_doctor(doctor_id) if is_self_or_staff(caller, doctor_id) else None
        if taken is None:
            raise DoctorNotFound
        doctor, private = taken
        if etag and etag != doctor.etag:
            raise EtagMismatch("the doctor has changed since this etag was read: read again")
        changed, kept = patched(doctor, private, patch, self.clock(), by_own_hand=not caller.is_staff)
        if changed is not doctor:
            await unit.put_doctor(changed, kept)
        return changed
