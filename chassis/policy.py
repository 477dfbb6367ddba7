"""Who may do what to whose object: the words of the table that every service keeps in its api/policy.py."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from chassis.context import Role


class Scope(StrEnum):
    """On whose objects a role may call an RPC; for `OWN` the subject of the token counts, whoever acts for them."""

    NONE = "none"
    OWN = "own"
    ALL = "all"


class Others(StrEnum):
    """What becomes of a call about somebody else by a role whose scope is `OWN`."""

    # An object that is named by its id: NOT_FOUND, exactly as if it did not exist.
    NOT_FOUND = "not found"
    # A list or a stream: what is not the caller's is left out.
    LEFT_OUT = "left out"
    # A wish or a question that names a person: PERMISSION_DENIED, the same whether that person exists or not.
    REFUSED = "refused"
    # There are none: everyone who may call may call it for all.
    NOBODYS = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: a scope for each role, and what becomes of calls beyond it.

    A `break_glass` row is a reading that a doctor or an administrator may do of everyone's objects, who says why.
    """

    patient: Scope
    doctor: Scope
    admin: Scope
    service: Scope
    others: Others = Others.NOBODYS
    break_glass: bool = False

    def scope(self, role: Role) -> Scope:
        """On whose objects that role may call."""
        scopes = {
            Role.PATIENT: self.patient,
            Role.DOCTOR: self.doctor,
            Role.ADMIN: self.admin,
            Role.SERVICE: self.service,
        }
        return scopes[role]

    @property
    def roles(self) -> frozenset[Role]:
        """The roles that may call at all."""
        return frozenset(role for role in Role if self.scope(role) is not Scope.NONE)


# The rows by `package.Service/Method`. A method in no row is closed to all.
Policy = Mapping[str, Rule]

CLOSED = Rule(Scope.NONE, Scope.NONE, Scope.NONE, Scope.NONE)


def policy_of(service: str, rows: Mapping[str, Rule]) -> Policy:
    """The policy of one service, whose rows are written by the methods' short names."""
    return {f"{service}/{method}": rule for method, rule in rows.items()}
