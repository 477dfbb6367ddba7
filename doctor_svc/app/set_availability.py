"""Adds hours in which a doctor takes visits of one kind."""

from dataclasses import dataclass, replace

from chassis.clock import Clock
from chassis.context import Caller
from chassis.ids import uuid7
from doctor_svc.app.access import is_self_or_staff
from doctor_svc.app.ports import Unit
from doctor_svc.domain.availability import AvailabilityRule
from doctor_svc.domain.errors import DoctorNotFound
from doctor_svc.domain.rule_checks import require_apart, require_valid


@dataclass(frozen=True, slots=True)
class SetAvailability:
    """The use case."""

    clock: Clock

    async def __call__(self, unit: Unit, caller: Caller, draft: AvailabilityRule) -> AvailabilityRule:
        """The rule added, under an id of its own. Raises InvalidArgument, DoctorNotFound, RuleOverlaps."""
        now = self.clock()
        rule = replace(draft, rule_id=str(uuid7(now)))
        require_valid(rule)
        if not is_self_or_staff(caller, rule.doctor_id) or not await unit.lock_doctor(rule.doctor_id):
            raise DoctorNotFound
        # Under the lock nobody adds a rule between this look and the insert.
        require_apart(rule, await unit.rules_of(rule.doctor_id, rule.kind))
        await unit.add_rule(rule, now)
        return rule
