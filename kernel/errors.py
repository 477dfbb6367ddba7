"""One family for every refusal a domain can utter; the edges translate it, nobody else does."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar


class Kind(Enum):
    """What a refusal means to a caller; the names are those of the canonical gRPC codes."""

    INVALID_ARGUMENT = "INVALID_ARGUMENT"
    NOT_FOUND = "NOT_FOUND"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    ABORTED = "ABORTED"
    FAILED_PRECONDITION = "FAILED_PRECONDITION"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    RESOURCE_EXHAUSTED = "RESOURCE_EXHAUSTED"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    UNAVAILABLE = "UNAVAILABLE"


@dataclass(frozen=True, slots=True)
class Violation:
    """One field of a request that cannot be accepted, and what would be."""

    field: str
    description: str


class Refusal(Exception):
    """A call that was understood and refused. A subclass fixes the kind and the reason, an instance says why.

    `message` is for people and never holds patient data; `metadata` is for programs; `alternatives` are what would
    work instead; `retry_after_seconds` is set where the same call may succeed later. `besides` are the other rules
    that the same call breaks, each as the refusal that it would have been alone. What has a `subject`, that is what it
    is about, is a rule.
    """

    kind: ClassVar[Kind]
    reason: ClassVar[str]
    subject: ClassVar[str] = ""

    def __init__(
        self,
        message: str,
        *,
        violations: tuple[Violation, ...] = (),
        alternatives: tuple[object, ...] = (),
        metadata: Mapping[str, str] | None = None,
        retry_after_seconds: float | None = None,
        besides: tuple["Refusal", ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.violations = violations
        self.alternatives = alternatives
        self.metadata = dict(metadata or {})
        self.retry_after_seconds = retry_after_seconds
        self.besides = besides

    @property
    def failing(self) -> tuple["Refusal", ...]:
        """Every rule that the call breaks, this one first."""
        return (self, *self.besides)

    @property
    def figures(self) -> dict[str, str]:
        """The metadata of every failing rule in one; where two say the same thing, the first is right."""
        return {name: figure for rule in reversed(self.failing) for name, figure in rule.metadata.items()}


class InvalidArgument(Refusal):
    """A field of the request cannot be accepted, whatever the state of the system."""

    kind = Kind.INVALID_ARGUMENT
    reason = "INVALID_ARGUMENT"

    @classmethod
    def of(cls, field: str, description: str) -> "InvalidArgument":
        """The refusal of one field."""
        return cls(f"{field}: {description}", violations=(Violation(field, description),))


class IdempotencyKeyReused(Refusal):
    """The request_id was used before, with another request."""

    kind = Kind.INVALID_ARGUMENT
    reason = "IDEMPOTENCY_KEY_REUSED"


class Unauthenticated(Refusal):
    """There is no token, or it cannot be trusted."""

    kind = Kind.UNAUTHENTICATED
    reason = "UNAUTHENTICATED"


class PermissionDenied(Refusal):
    """The caller's role may not do this at all."""

    kind = Kind.PERMISSION_DENIED
    reason = "PERMISSION_DENIED"


class BreakGlassRefused(Refusal):
    """The glass cannot be broken for this call, or not by this caller."""

    kind = Kind.PERMISSION_DENIED
    reason = "BREAK_GLASS_REFUSED"


class BreakGlassUnexplained(Refusal):
    """The glass cannot be broken without saying why in words that can be kept."""

    kind = Kind.INVALID_ARGUMENT
    reason = "BREAK_GLASS_UNEXPLAINED"


class EtagMismatch(Refusal):
    """The resource has changed since the caller last saw it."""

    kind = Kind.ABORTED
    reason = "ETAG_MISMATCH"


class Overloaded(Refusal):
    """The process has as much to do as it can; the same call may succeed later."""

    kind = Kind.RESOURCE_EXHAUSTED
    reason = "OVERLOADED"


class DeadlineTooShort(Refusal):
    """The caller leaves too little time to finish."""

    kind = Kind.DEADLINE_EXCEEDED
    reason = "DEADLINE_TOO_SHORT"


class Unavailable(Refusal):
    """Infrastructure is missing; nothing is known to have happened, so the same request_id may be sent again."""

    kind = Kind.UNAVAILABLE
    reason = "UNAVAILABLE"
