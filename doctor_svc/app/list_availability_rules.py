"""Lists a doctor's rules of availability, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass

from chassis.context import Caller
from chassis.paging import page_length
from doctor_svc.app.access import is_self_or_staff
from doctor_svc.app.ports import Hours
from doctor_svc.domain.availability import AvailabilityRule
from doctor_svc.domain.errors import DoctorNotFound


@dataclass(frozen=True, slots=True)
class RulesPage:
    """Some rules, and the id after which the next page begins; None on the last."""

    rules: Sequence[AvailabilityRule]
    next: str | None


@dataclass(frozen=True, slots=True)
class ListAvailabilityRules:
    """The use case."""

    hours: Hours

    async def __call__(self, caller: Caller, doctor_id: str, after: str | None, page_size: int) -> RulesPage:
        """One page, in the order of the ids. Raises DoctorNotFound, InvalidArgument."""
        length = page_length(page_size)
        found = await self.hours.rules(doctor_id, after, length + 1) if is_self_or_staff(caller, doctor_id) else None
        if found is None:
            raise DoctorNotFound
        return RulesPage(found[:length], found[length - 1].rule_id if len(found) > length else None)
