"""Deletes a rule of availability; what is booked stays booked."""

from dataclasses import dataclass

from chassis.context import Caller
from doctor_svc.app.ports import Unit
from doctor_svc.app.update_availability import locked_rule


@dataclass(frozen=True, slots=True)
class DeleteAvailability:
    """The use case."""

    async def __call__(self, unit: Unit, caller: Caller, doctor_id: str, rule_id: str, version: str | None) -> None:
        """Deletes it. Raises RuleNotFound, EtagMismatch."""
        rule = await locked_rule(unit, caller, doctor_id, rule_id, version)
        await unit.delete_rule(rule.rule_id)
