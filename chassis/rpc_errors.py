"""The one table between refusals and gRPC statuses, in both directions (google.rpc.Status, AIP-193)."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import NamedTuple

import grpc
import psycopg
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status
from psycopg_pool import PoolTimeout

from kernel.errors import Kind, Refusal

DOMAIN = "telemed"
# Retry hints where a refusal names none: soon for contention, a moment for infrastructure.
_RETRY_SECONDS = {Kind.UNAVAILABLE: 1.0, Kind.RESOURCE_EXHAUSTED: 0.5}
_DATABASE_AWAY = ("08", "57P01", "57P02", "57P03", "57P05", "53300", "25006")

DetailRenderer = Callable[[Refusal], Iterable[Message]]
logger = logging.getLogger(__name__)


class NoSuchMethodError(Exception):
    """The call is for a method that this server does not have."""


class RemoteRefusal(Refusal):
    """A refusal that another service gave, passed on as it came.

    `status` is what our own caller gets; `answered` is what the service said, for an edge that also tells its faults.
    """

    kind = Kind.UNAVAILABLE
    reason = "UNAVAILABLE"

    def __init__(
        self, status: status_pb2.Status, kind: Kind, reason: str, answered: status_pb2.Status | None = None
    ) -> None:
        super().__init__(status.message)
        self.status = status
        self.answered = answered or status
        # Instance values shadow the class's: the kind and reason are the other service's.
        self.kind = kind  # type: ignore[misc]
        self.reason = reason  # type: ignore[misc]


class Failure(NamedTuple):
    """How a call that did not succeed ends: the status for the caller, and whether it is our own fault."""

    status: status_pb2.Status
    is_bug: bool

    @property
    def code_name(self) -> str:
        """The canonical name of the code, such as NOT_FOUND."""
        return str(code_pb2.Code.Name(self.status.code))

    @property
    def reason(self) -> str:
        """One of the closed list of reasons; the name of the code where the status has none."""
        info = error_details_pb2.ErrorInfo()
        return next((info.reason for packed in self.status.details if packed.Unpack(info)), self.code_name)


def no_details(_: Refusal) -> Iterable[Message]:
    """The renderer of a service whose refusals carry nothing of their own."""
    return ()


def failure_of(error: BaseException, render: DetailRenderer = no_details) -> Failure:
    """The status that an exception becomes. Only a Refusal's own words ever reach the caller."""
    if isinstance(error, RemoteRefusal):
        return Failure(error.status, is_bug=False)
    if isinstance(error, Refusal):
        return Failure(_status_of(error, render), is_bug=False)
    if isinstance(error, asyncio.CancelledError):
        return Failure(_plain(code_pb2.CANCELLED, "CANCELLED", "the caller has gone"), is_bug=False)
    if isinstance(error, NoSuchMethodError):
        status = _plain(code_pb2.UNIMPLEMENTED, "UNIMPLEMENTED", "this server has no such method")
        return Failure(status, is_bug=False)
    if isinstance(error, TimeoutError):
        return Failure(
            _plain(code_pb2.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", "the deadline has passed", 1.0), is_bug=False
        )
    if isinstance(error, PoolTimeout):
        return Failure(
            _plain(code_pb2.RESOURCE_EXHAUSTED, "OVERLOADED", "no database connection was free in time", 0.5),
            is_bug=False,
        )
    if isinstance(error, psycopg.Error):
        return _database_failure(error)
    return Failure(_plain(code_pb2.INTERNAL, "INTERNAL", "internal error"), is_bug=True)


def _database_failure(error: psycopg.Error) -> Failure:
    state = error.sqlstate
    if isinstance(error, psycopg.errors.QueryCanceled):
        status = _plain(code_pb2.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", "the database took too long", 1.0)
    elif isinstance(error, (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected)):
        status = _plain(code_pb2.ABORTED, "CONTENTION", "too many calls changed the same thing at once", 0.1)
    elif (state is None and isinstance(error, psycopg.OperationalError)) or (state or "").startswith(_DATABASE_AWAY):
        status = _plain(code_pb2.UNAVAILABLE, "UNAVAILABLE", "the database is not available", 1.0)
    else:
        return Failure(_plain(code_pb2.INTERNAL, "INTERNAL", "internal error"), is_bug=True)
    return Failure(status, is_bug=False)


def _status_of(refusal: Refusal, render: DetailRenderer) -> status_pb2.Status:
    code = code_pb2.Code.Value(refusal.kind.value)
    status = status_pb2.Status(code=code, message=refusal.message)
    _attach(status, error_details_pb2.ErrorInfo(reason=refusal.reason, domain=DOMAIN, metadata=refusal.figures))
    if refusal.subject:
        # What has a subject is a rule; a program finds it in one place, whether it is alone or one of three.
        _attach(status, _failing_rules(refusal))
    if refusal.violations:
        _attach(
            status,
            error_details_pb2.BadRequest(
                field_violations=[
                    error_details_pb2.BadRequest.FieldViolation(field=v.field, description=v.description)
                    for v in refusal.violations
                ]
            ),
        )
    delay = refusal.retry_after_seconds or _RETRY_SECONDS.get(refusal.kind)
    if delay is not None:
        _attach(status, _retry_info(delay))
    for detail in render(refusal):
        _attach(status, detail)
    return status


def _failing_rules(refusal: Refusal) -> error_details_pb2.PreconditionFailure:
    return error_details_pb2.PreconditionFailure(
        violations=[
            error_details_pb2.PreconditionFailure.Violation(
                type=rule.reason, subject=rule.subject, description=rule.message
            )
            for rule in refusal.failing
        ]
    )


def _plain(code: int, reason: str, message: str, retry_seconds: float | None = None) -> status_pb2.Status:
    status = status_pb2.Status(code=code, message=message)
    _attach(status, error_details_pb2.ErrorInfo(reason=reason, domain=DOMAIN))
    if retry_seconds is not None:
        _attach(status, _retry_info(retry_seconds))
    return status


def _retry_info(seconds: float) -> error_details_pb2.RetryInfo:
    delay = duration_pb2.Duration()
    delay.FromMilliseconds(int(seconds * 1000))
    return error_details_pb2.RetryInfo(retry_delay=delay)


def _attach(status: status_pb2.Status, detail: Message) -> None:
    packed = any_pb2.Any()
    packed.Pack(detail)
    status.details.append(packed)


def status_from(error: grpc.aio.AioRpcError) -> status_pb2.Status:
    """The google.rpc.Status of a failed call; one without details is made up from its code."""
    try:
        found = rpc_status.from_call(error)
    except ValueError:
        found = None
    if found is not None:
        return found
    # The transport's own text names addresses; say no more than the code does.
    code = error.code().name
    retry = _RETRY_SECONDS.get(Kind[code]) if code in Kind.__members__ else None
    return _plain(code_pb2.Code.Value(code), code, f"a service answered {code}", retry)


def refusal_from(error: grpc.aio.AioRpcError) -> Refusal:
    """A failed call to another service as a refusal of ours: passed on as it came, where it is one."""
    status = answered = status_from(error)
    reason = code_pb2.Code.Name(status.code)
    for detail in status.details:
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info):
            reason = info.reason
    name = code_pb2.Code.Name(status.code)
    kind = Kind(name) if name in Kind.__members__ else Kind.UNAVAILABLE
    if name not in Kind.__members__:
        status = _plain(code_pb2.UNAVAILABLE, "UNAVAILABLE", "a service that is needed failed", 1.0)
    return RemoteRefusal(status, kind, reason, answered)
