"""Refusals as one exception, with what the services say about them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2
from telemed.type.v1.scheduling_pb2 import Alternatives, AlternativeSlot

# Also without details of a service's own: the network's, and gRPC's on a server with more calls than it can read.
_MAY_SUCCEED_LATER = frozenset(
    {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.CANCELLED}
)
# How a service says that it has as much to do as it can, and how gRPC says so for one that cannot even read the call.
_OVERLOAD = frozenset({"OVERLOADED", grpc.StatusCode.RESOURCE_EXHAUSTED.name, grpc.StatusCode.CANCELLED.name})
_DETAILS = "grpc-status-details-bin"


@dataclass(frozen=True, slots=True)
class Violation:
    """A field of the request, and what is wrong with it."""

    field: str
    description: str


@dataclass(frozen=True, slots=True)
class BrokenRule:
    """A rule that stands in the way: the reason that it would be refused for alone, and what it is about."""

    reason: str
    subject: str
    description: str


class TelemedError(Exception):
    """A call that was refused or could not be answered.

    `reason` is one of the list in docs/errors.md, or the name of the gRPC code when a proxy or the network answered;
    `rules` are all that the call breaks, not the first alone; `retry_after` is in seconds, None where it is no use.
    """

    def __init__(self, code: grpc.StatusCode, message: str, details: Sequence[Any] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.reason = code.name
        self.metadata: Mapping[str, str] = {}
        self.violations: tuple[Violation, ...] = ()
        self.rules: tuple[BrokenRule, ...] = ()
        self.alternatives: tuple[AlternativeSlot, ...] = ()
        self.retry_after: float | None = 1.0 if code in _MAY_SUCCEED_LATER else None
        for packed in details:
            self._take(packed)

    def _take(self, packed: Any) -> None:
        info, fields = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
        broken, wait, offered = error_details_pb2.PreconditionFailure(), error_details_pb2.RetryInfo(), Alternatives()
        if packed.Unpack(info):
            self.reason, self.metadata = info.reason, dict(info.metadata)
        elif packed.Unpack(fields):
            self.violations = tuple(Violation(one.field, one.description) for one in fields.field_violations)
        elif packed.Unpack(broken):
            self.rules = tuple(BrokenRule(one.type, one.subject, one.description) for one in broken.violations)
        elif packed.Unpack(wait):
            self.retry_after = wait.retry_delay.seconds + wait.retry_delay.nanos / 1e9
        elif packed.Unpack(offered):
            self.alternatives = tuple(offered.slots)

    @property
    def is_overload(self) -> bool:
        """Whether the service had too much to do, whatever the call was."""
        return self.reason in _OVERLOAD

    def __str__(self) -> str:
        return f"{self.reason}: {self.args[0]}"


def error_from(error: grpc.RpcError) -> TelemedError:
    """The exception that stands for an error of grpc, of either API."""
    # grpc's typing does not say that the errors it raises are calls too.
    call: Any = error
    status = status_pb2.Status()
    for key, value in call.trailing_metadata() or ():
        if key == _DETAILS and isinstance(value, bytes):
            try:
                status = status_pb2.Status.FromString(value)
            except DecodeError:
                # Somebody between us and the service wrote this; the code and the message still count.
                break
    return TelemedError(call.code(), call.details() or "", status.details)
