"""What the code below a call may know about it: who calls, and until when the answer is of use."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum

from kernel.errors import Unauthenticated

# The scheme of an authorization by which a single-use ticket takes the place of a token.
TICKET = "Ticket"
# The trailer by which an answer tells how often the call had been tried before; grpc keeps that to itself.
ATTEMPTS_TRAILER = "telemed-previous-attempts"


class Role(StrEnum):
    """What a caller is; one role a token."""

    PATIENT = "patient"
    DOCTOR = "doctor"
    ADMIN = "admin"
    SERVICE = "service"


class PurposeOfUse(StrEnum):
    """What somebody's data is used for: the codes of HL7 v3 PurposeOfUse that callers of ours can have."""

    TREAT = "TREAT"
    PATRQT = "PATRQT"
    HOPERAT = "HOPERAT"
    # "Break the glass": care that cannot wait for whoever could allow it.
    BTG = "BTG"


_USUAL_PURPOSE = {
    Role.PATIENT: PurposeOfUse.PATRQT,
    Role.DOCTOR: PurposeOfUse.TREAT,
    Role.ADMIN: PurposeOfUse.HOPERAT,
    Role.SERVICE: PurposeOfUse.HOPERAT,
}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: the subject of a verified token (a UUID for people), its role, and the token for passing it on.

    `delegate` acts for the subject, as a guardian does for a child; empty when they act for themselves. Whose objects
    the caller may touch is a matter of the subject alone, and who did it a matter of the `actor`. Who breaks the glass
    says why in `purpose_reason`: words about somebody's health, so never for a log. Who came by a ticket has no token,
    and may touch one thing alone, whose id `confined_to` is; empty means no limit.
    """

    subject: str
    role: Role
    token: str
    confined_to: str = ""
    delegate: str = ""
    purpose_reason: str = ""

    @property
    def is_staff(self) -> bool:
        """Whether the caller may see everyone's objects."""
        return self.role in (Role.ADMIN, Role.SERVICE)

    @property
    def sees_all(self) -> bool:
        """Whether the caller may read everyone's objects: staff always, and who breaks the glass."""
        return self.is_staff or bool(self.purpose_reason)

    @property
    def actor(self) -> str:
        """Who really acts: the subject, unless somebody acts for them."""
        return self.delegate or self.subject

    @property
    def purpose(self) -> PurposeOfUse:
        """What the caller uses data for: what is usual for the role, unless the glass is broken."""
        return PurposeOfUse.BTG if self.purpose_reason else _USUAL_PURPOSE[self.role]


_caller: ContextVar[Caller | None] = ContextVar("caller", default=None)
_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)


def current_caller() -> Caller:
    """The caller of the running RPC. Raises Unauthenticated outside of one."""
    caller = _caller.get()
    if caller is None:
        raise Unauthenticated("this call needs a token")
    return caller


def caller_or_none() -> Caller | None:
    """The caller of the running RPC, or None outside of one."""
    return _caller.get()


def remaining_seconds() -> float | None:
    """Seconds until the running call's deadline, never below 0; None without a deadline."""
    deadline = _deadline.get()
    return None if deadline is None else max(0.0, deadline - time.monotonic())


@contextmanager
def acting_as(caller: Caller | None) -> Iterator[None]:
    """Runs a block on behalf of a caller."""
    token = _caller.set(caller)
    try:
        yield
    finally:
        _caller.reset(token)


@contextmanager
def time_limit(seconds: float | None) -> Iterator[None]:
    """Tells a block how long it may take; None means without limit. It is the callee's to obey."""
    token = _deadline.set(None if seconds is None else time.monotonic() + seconds)
    try:
        yield
    finally:
        _deadline.reset(token)
