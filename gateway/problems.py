"""Refusals as RFC 9457 problem details: the one table from gRPC codes to HTTP, and what stands in the body."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from google.protobuf import any_pb2, descriptor_pool
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import code_pb2, error_details_pb2, status_pb2

from chassis.rpc_errors import DOMAIN, RemoteRefusal, failure_of
from gateway.codec.encode import Encoder
from gateway.http import Answer, HttpRefusal

PROBLEM_TYPE = "application/problem+json"
_INTERNAL_ERROR = 500
_HTTP_STATUS = {
    code_pb2.INVALID_ARGUMENT: 400,
    code_pb2.FAILED_PRECONDITION: 400,
    code_pb2.OUT_OF_RANGE: 400,
    code_pb2.UNAUTHENTICATED: 401,
    code_pb2.PERMISSION_DENIED: 403,
    code_pb2.NOT_FOUND: 404,
    code_pb2.ABORTED: 409,
    code_pb2.ALREADY_EXISTS: 409,
    code_pb2.RESOURCE_EXHAUSTED: 429,
    code_pb2.CANCELLED: 499,
    code_pb2.UNIMPLEMENTED: 501,
    code_pb2.UNAVAILABLE: 503,
    code_pb2.DEADLINE_EXCEEDED: 504,
}
# A key that was used for another request is a request that was understood and cannot be processed.
_EXCEPTIONS = {"IDEMPOTENCY_KEY_REUSED": 422}
_ALTERNATIVES, _ALTERNATIVES_FIELD = "Alternatives", "slots"


@dataclass(frozen=True, slots=True)
class Problem:
    """What a refusal says to an HTTP client."""

    status: int
    reason: str
    detail: str
    domain: str = DOMAIN
    violations: Sequence[dict[str, str]] = ()
    alternatives: Sequence[Any] | None = None
    metadata: Mapping[str, str] | None = None
    retry_after: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    closes: bool = False

    def document(self, instance: str, trace_id: str) -> dict[str, object]:
        """The members of the problem; `instance` is the path of the request."""
        optional = {
            "violations": self.violations or None,
            "alternatives": self.alternatives,
            "metadata": self.metadata,
        }
        return {
            "type": f"urn:{self.domain}:error:{self.reason.lower().replace('_', '-')}",
            "title": self.reason.replace("_", " ").capitalize(),
            "status": self.status,
            "detail": self.detail,
            "instance": instance,
            "reason": self.reason,
            "domain": self.domain,
            **{name: value for name, value in optional.items() if value is not None},
            "trace_id": trace_id,
        }

    def answer(self, instance: str, trace_id: str) -> Answer:
        """The problem as a whole answer."""
        headers = dict(self.headers)
        if self.status == 401:  # noqa: PLR2004 - RFC 9110 §11.6.1 asks for the header with this status
            headers["www-authenticate"] = "Bearer"
        if self.retry_after is not None:
            headers["retry-after"] = str(self.retry_after)
        body = orjson.dumps(self.document(instance, trace_id))
        return Answer(self.status, body, PROBLEM_TYPE, headers, self.closes)


def problem_of(error: BaseException, encoder: Encoder, body_field: str = "") -> tuple[Problem, bool]:
    """The problem that an exception is, and whether it is a fault of our own that somebody should look at.

    `body_field` is the field of the request that the HTTP body stood for: the caller knows nothing of it.
    """
    if isinstance(error, HttpRefusal):
        refused = Problem(error.status, error.reason, error.detail, headers=error.headers, closes=error.closes)
        return refused, False
    if isinstance(error, RemoteRefusal):
        return _from_status(error.answered, encoder, body_field), False
    failure = failure_of(error)
    return _from_status(failure.status, encoder, body_field), failure.is_bug


def _from_status(status: status_pb2.Status, encoder: Encoder, body_field: str) -> Problem:
    http_status = _HTTP_STATUS.get(status.code, _INTERNAL_ERROR)
    # Where no ErrorInfo says more, the code is the reason.
    reason = code_pb2.Code.Name(status.code) if status.code in code_pb2.Code.values() else "UNKNOWN"
    # By contract UNAVAILABLE means that the same call may be sent again, whoever says it.
    retry_after = 1 if status.code == code_pb2.UNAVAILABLE else None
    problem = Problem(http_status, reason, _relative(status.message, body_field), retry_after=retry_after)
    for packed in status.details:
        kind = _kind_of(packed)
        if kind is not None:
            problem = _with_detail(problem, kind, _unpacked(packed, kind), encoder, body_field)
    return replace(problem, status=_EXCEPTIONS.get(problem.reason, problem.status))


def _with_detail(
    problem: Problem, kind: Descriptor, detail: Message | None, encoder: Encoder, body_field: str
) -> Problem:
    if isinstance(detail, error_details_pb2.ErrorInfo):
        return replace(problem, reason=detail.reason, domain=detail.domain, metadata=dict(detail.metadata) or None)
    if isinstance(detail, error_details_pb2.BadRequest):
        violations = [
            {"field": _relative(found.field, body_field), "description": found.description}
            for found in detail.field_violations
        ]
        return replace(problem, violations=[*problem.violations, *violations])
    if isinstance(detail, error_details_pb2.PreconditionFailure):
        rules = [
            {"reason": found.type, "subject": found.subject, "description": found.description}
            for found in detail.violations
        ]
        return replace(problem, violations=[*problem.violations, *rules])
    if isinstance(detail, error_details_pb2.RetryInfo):
        delay = detail.retry_delay.seconds + detail.retry_delay.nanos / 1e9
        return replace(problem, retry_after=max(1, math.ceil(delay)))
    if detail is not None and _offers_alternatives(kind):
        return replace(problem, alternatives=encoder.of(kind)(detail)[_ALTERNATIVES_FIELD])
    return problem


def _kind_of(packed: any_pb2.Any) -> Descriptor | None:
    """The type of a detail; None for one that this build does not know."""
    try:
        return descriptor_pool.Default().FindMessageTypeByName(packed.TypeName())
    except KeyError:
        return None


def _unpacked(packed: any_pb2.Any, kind: Descriptor) -> Message | None:
    """The detail inside; None when its bytes are not of that type."""
    try:
        return GetMessageClass(kind).FromString(packed.value)
    except DecodeError:
        return None


def alternatives_message(messages: Iterable[Descriptor]) -> Descriptor | None:
    """What one alternative is, by the first of some messages that is a detail of refusals with alternatives."""
    offering = next((one for one in messages if one.name == _ALTERNATIVES and _offers_alternatives(one)), None)
    return None if offering is None else offering.fields_by_name[_ALTERNATIVES_FIELD].message_type


def _offers_alternatives(message: Descriptor) -> bool:
    found = message.fields_by_name.get(_ALTERNATIVES_FIELD)
    return found is not None and found.is_repeated and found.message_type is not None


def _relative(text: str, body_field: str) -> str:
    """A field path, or a sentence that begins with one, as it looks from inside the HTTP body."""
    return text.removeprefix(f"{body_field}.") if body_field else text
