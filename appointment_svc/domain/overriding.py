"""Rules that staff set aside for one visit, and why."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from appointment_svc.domain.rules import MAX_REASON, check_text
from kernel.errors import InvalidArgument, Refusal


class OverridableRule(StrEnum):
    """The rules that may be set aside, by the reasons of their refusals."""

    TOO_SOON = "TOO_SOON"
    TOO_FAR_AHEAD = "TOO_FAR_AHEAD"
    OUTSIDE_WORKING_HOURS = "OUTSIDE_WORKING_HOURS"
    DAILY_LIMIT_REACHED = "DAILY_LIMIT_REACHED"
    TOO_LATE_TO_CANCEL = "TOO_LATE_TO_CANCEL"
    TOO_LATE_TO_RESCHEDULE = "TOO_LATE_TO_RESCHEDULE"


FOR_BOOKING = frozenset(
    {
        OverridableRule.TOO_SOON,
        OverridableRule.TOO_FAR_AHEAD,
        OverridableRule.OUTSIDE_WORKING_HOURS,
        OverridableRule.DAILY_LIMIT_REACHED,
    }
)
FOR_MOVING = FOR_BOOKING | {OverridableRule.TOO_LATE_TO_RESCHEDULE}
FOR_CANCELLING = frozenset({OverridableRule.TOO_LATE_TO_CANCEL})


@dataclass(frozen=True, slots=True)
class RuleOverride:
    """Rules that do not count for one call, in the order of the vocabulary, and why."""

    rules: tuple[OverridableRule, ...]
    reason: str

    @classmethod
    def of(cls, rules: Sequence[OverridableRule], reason: str, allowed: frozenset[OverridableRule]) -> "RuleOverride":
        """The override of a request. Raises InvalidArgument for override.rules or override.reason."""
        choices = ", ".join(rule for rule in OverridableRule if rule in allowed)
        if not rules:
            raise InvalidArgument.of("override.rules", f"is required: one or more of {choices}")
        if not allowed.issuperset(rules):
            raise InvalidArgument.of("override.rules", f"must be of those that can be set aside here: {choices}")
        if not reason.strip():
            raise InvalidArgument.of("override.reason", f"is required: 1 to {MAX_REASON} characters")
        check_text(reason, "override.reason", MAX_REASON)
        return cls(_in_order(rules), reason.strip())

    @property
    def listed(self) -> str:
        """The rules in one line."""
        return ",".join(self.rules)

    def waives(self, refusal: Refusal) -> bool:
        """Whether a rule that refused does not count."""
        return refusal.reason in self.rules

    def standing(self, failing: Iterable[Refusal]) -> list[Refusal]:
        """What of the failing rules still counts."""
        return [rule for rule in failing if not self.waives(rule)]

    def used_for(self, failing: Iterable[Refusal]) -> "RuleOverride | None":
        """The override of just those rules that were in the way; None when none was."""
        used = [OverridableRule(rule.reason) for rule in failing if self.waives(rule)]
        return replace(self, rules=_in_order(used)) if used else None


def _in_order(rules: Iterable[OverridableRule]) -> tuple[OverridableRule, ...]:
    given = set(rules)
    return tuple(rule for rule in OverridableRule if rule in given)
