"""Who may see and do what with a doctor, beyond what the role alone decides."""

from chassis.context import Caller, Role
from kernel.errors import PermissionDenied


def is_self_or_staff(caller: Caller, doctor_id: str) -> bool:
    """Whether the doctor is the caller's own self, or the caller sees everyone."""
    return caller.is_staff or (caller.role is Role.DOCTOR and caller.subject == doctor_id)


def require_may_match(caller: Caller, patient_id: str, doctor_id: str | None) -> None:
    """A patient matches for themselves, a doctor only with themselves, staff for anyone. Raises PermissionDenied."""
    if caller.role is Role.PATIENT and caller.subject != patient_id:
        raise PermissionDenied("a patient may look for doctors for themselves alone")
    if caller.role is Role.DOCTOR and caller.subject != doctor_id:
        raise PermissionDenied("a doctor may match patients with themselves alone: set doctor_id")
