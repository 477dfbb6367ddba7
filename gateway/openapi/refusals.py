"""The refusals of the document: one problem for all of them, and for each operation the reasons that it may give."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from google.protobuf.descriptor import Descriptor

from gateway.openapi.reasons import OF_ALL, Reasons
from gateway.openapi.schemas import Schema, Schemas
from gateway.problems import PROBLEM_TYPE, alternatives_message
from gateway.routes import Binding

_TEXT: Schema = {"type": "string"}
_WHOLE: Schema = {"type": "integer"}
# Name → what it tells, its schema, and the statuses that come with it; none means all.
_HEADERS: Mapping[str, tuple[str, Schema]] = {
    "X-Request-Id": ("The id of the request: the caller's own when it was sane, else the trace id.", _TEXT),
    "ETag": ("The version of what is answered, for `If-Match` of a change.", _TEXT),
    "WWW-Authenticate": ("What kind of token is asked for.", _TEXT),
    "Retry-After": ("After how many seconds the same request may be sent again.", {**_WHOLE, "minimum": 1}),
    "RateLimit": ("How many requests are left, and when there will be more.", _TEXT),
    "RateLimit-Policy": ("How many requests are let through in which time.", _TEXT),
}
_BY_STATUS: Mapping[int, tuple[str, ...]] = {
    HTTPStatus.UNAUTHORIZED: ("WWW-Authenticate",),
    HTTPStatus.TOO_MANY_REQUESTS: ("Retry-After", "RateLimit", "RateLimit-Policy"),
    HTTPStatus.SERVICE_UNAVAILABLE: ("Retry-After",),
}
PROBLEM = {"$ref": "#/components/schemas/Problem"}


def header(name: str) -> Schema:
    """A reference to a header of answers."""
    return {"$ref": f"#/components/headers/{name}"}


def headers() -> Schema:
    """Every header of answers."""
    return {name: {"description": told, "schema": schema} for name, (told, schema) in _HEADERS.items()}


class Refusals:
    """Tells the answers of an operation other than 200."""

    def __init__(self, reasons: Reasons) -> None:
        self._reasons = reasons
        self._shared = reasons.by_status([name for name in reasons.known if _is_shared(name, reasons)])

    def of(self, binding: Binding) -> Schema:
        """The responses of one binding by status; those that all have are shared."""
        found = self._reasons.of(binding)
        return {
            str(status): {"$ref": f"#/components/responses/{HTTPStatus(status).name}"}
            if set(names) == set(self._shared.get(status, ()))
            else self._response(status, names)
            for status, names in found.items()
        }

    def shared(self) -> Schema:
        """The responses that are the same wherever they come."""
        return {HTTPStatus(status).name: self._response(status, names) for status, names in self._shared.items()}

    def _response(self, status: int, names: Sequence[str]) -> Schema:
        told = "\n".join(f"- `{name}`: {self._reasons.known[name].meaning}" for name in names)
        narrowed = {"type": "object", "properties": {"reason": {"enum": list(names)}}}
        return {
            "description": f"{HTTPStatus(status).phrase}. `reason` is one of:\n\n{told}",
            "headers": {name: header(name) for name in ("X-Request-Id", *_BY_STATUS.get(status, ()))},
            "content": {
                PROBLEM_TYPE: {
                    "schema": {"allOf": [PROBLEM, narrowed]},
                    "example": self._example(status, names[0]),
                }
            },
        }

    def _example(self, status: int, name: str) -> Schema:
        return {
            "type": f"urn:telemed:error:{name.lower().replace('_', '-')}",
            "title": name.replace("_", " ").capitalize(),
            "status": status,
            "detail": self._reasons.known[name].meaning.partition(";")[0],
            "instance": "/appointments/book",
            "reason": name,
            "domain": "telemed",
            "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        }


def problem_schema(reasons: Reasons, schemas: Schemas, known: Sequence[Descriptor]) -> Schema:
    """The schema of every refusal; `known` are the messages of the contract."""
    offered = alternatives_message(known)
    properties: Schema = {
        "type": {"type": "string", "format": "uri", "description": "The reason as a URN."},
        "title": {**_TEXT, "description": "The reason in words."},
        "status": {**_WHOLE, "description": "The HTTP status."},
        "detail": {**_TEXT, "description": "What is wrong with this request, and what would work."},
        "instance": {**_TEXT, "description": "The path of the request."},
        "reason": {
            **_TEXT,
            "enum": list(reasons.known),
            "description": "For programs to act on; a closed list.",
            "x-enumDescriptions": {one.name: one.meaning for one in reasons.known.values()},
        },
        "domain": {**_TEXT, "description": "Whose list of reasons it is."},
        "violations": {
            "type": "array",
            "description": "The fields that cannot be accepted, or the rules that are broken, each with its reason.",
            "items": {
                "type": "object",
                "required": ["description"],
                "properties": {"field": _TEXT, "reason": _TEXT, "subject": _TEXT, "description": _TEXT},
            },
        },
        "alternatives": {
            "type": "array",
            "description": "Times that would work, the best first.",
            "items": schemas.of_answer(offered) if offered is not None else {"type": "object"},
        },
        "metadata": {
            "type": "object",
            "description": "Figures that belong to the reason.",
            "additionalProperties": _TEXT,
        },
        "trace_id": {**_TEXT, "description": "Leads an operator to what happened."},
    }
    optional = {"violations", "alternatives", "metadata"}
    return {
        "type": "object",
        "description": "A refusal (RFC 9457).",
        "required": [name for name in properties if name not in optional],
        "properties": properties,
    }


def _is_shared(name: str, reasons: Reasons) -> bool:
    """Whether a reason may come with any operation, or any that takes a body, so that its response can be shared."""
    with_body = {408, 413, 415}
    return name in OF_ALL or reasons.known[name].status in with_body or name == "IDEMPOTENCY_KEY_REUSED"
