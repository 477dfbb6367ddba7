"""Who may see and do what with a doctor, beyond what the role alone decides."""

from chassis.context import Caller, Role
from kernel.errors import PermissionDenied


def is_self_or_staff(caller: Caller, doctor_id: str) -> bool:
    """Whether the doctor is the caller's own self, or the caller sees everyone."""
    return caller.is_staff or (caller.role is Role.DOCTOR and caller.subject == doctor_id)


def require_may_match(caller: Caller, patient_id: str | None, doctor_id: str | None) -> None:
    """A patient matches for themselves, a doctor patients with themselves, staff for anyone. Raises PermissionDenied.

    A match for no patient in particular tells nothing about anybody's past, so everyone may ask for one.
    """
    if patient_id is None:
        return
    if caller.role is Role.PATIENT and caller.subject != patient_id:
        raise PermissionDenied("a patient may look for doctors for themselves alone")
    if caller.role is Role.DOCTOR and caller.subject != doctor_id:
        raise PermissionDenied("a doctor may match patients with themselves alone: set doctor_id")
