"""Changes a rule of availability."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from chassis.context import Caller
from doctor_svc.app.access import is_self_or_staff
from doctor_svc.app.ports import Unit
from doctor_svc.domain.availability import AvailabilityRule
from doctor_svc.domain.errors import RuleNotFound
from doctor_svc.domain.rule_checks import require_apart, require_valid
from kernel.errors import EtagMismatch


@dataclass(frozen=True, slots=True)
class RuleChange:
    """Which rule of which doctor, what it becomes, and the version that it must still have; None for any."""

    doctor_id: str
    rule_id: str
    version: str | None
    apply: Callable[[AvailabilityRule], AvailabilityRule]


async def locked_rule(
    unit: Unit, caller: Caller, doctor_id: str, rule_id: str, version: str | None
) -> AvailabilityRule:
    """The rule, kept from everyone else's changes until the end. Raises RuleNotFound, EtagMismatch."""
    if not is_self_or_staff(caller, doctor_id) or not await unit.lock_doctor(doctor_id):
        raise RuleNotFound
    rule = await unit.rule(doctor_id, rule_id)
    if rule is None:
        raise RuleNotFound
    if version is not None and version != str(rule.version):
        raise EtagMismatch("the rule has changed since it was read")
    return rule


@dataclass(frozen=True, slots=True)
class UpdateAvailability:
    """The use case."""

    async def __call__(self, unit: Unit, caller: Caller, change: RuleChange) -> AvailabilityRule:
        """The rule after the change. Raises RuleNotFound, EtagMismatch, InvalidArgument, RuleOverlaps."""
        before = await locked_rule(unit, caller, change.doctor_id, change.rule_id, change.version)
        rule = replace(change.apply(before), version=before.version + 1)
        require_valid(rule)
        require_apart(rule, await unit.rules_of(rule.doctor_id, rule.kind))
        await unit.put_rule(rule)
        return rule
