"""Deletes an exception to a doctor's hours."""

from dataclasses import dataclass

from chassis.context import Caller
from doctor_svc.app.access import is_self_or_staff
from doctor_svc.app.ports import Unit
from doctor_svc.domain.errors import OverrideNotFound


@dataclass(frozen=True, slots=True)
class DeleteOverride:
    """The use case."""

    async def __call__(self, unit: Unit, caller: Caller, doctor_id: str, override_id: str) -> None:
        """Deletes it. Raises OverrideNotFound."""
        if not is_self_or_staff(caller, doctor_id) or not await unit.delete_override(doctor_id, override_id):
            raise OverrideNotFound
