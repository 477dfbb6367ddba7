"""The OpenAPI 3.1 document of everything that the gateway serves."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

from gateway.openapi.comments import comments_of
from gateway.openapi.operations import REFUSALS, Example, Operations, path_of, refusal
from gateway.openapi.schemas import Schema, Schemas
from gateway.routes import Binding
from gateway.transcode import IDEMPOTENCY_KEY, IF_MATCH, LAST_EVENT_ID

_EXAMPLES = "examples.json"
# What OpenAPI 3.1 has a word for. A custom method, or one route for all of them, works and cannot be told.
_VERBS = frozenset({"GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE"})
_TEXT: Schema = {"type": "string"}
_PROBLEM: Schema = {
    "type": "object",
    "description": "A refusal (RFC 9457).",
    "required": ["type", "title", "status", "detail", "instance", "reason", "domain", "trace_id"],
    "properties": {
        "type": {"type": "string", "format": "uri", "description": "The reason as a URN."},
        "title": {**_TEXT, "description": "The reason in words."},
        "status": {"type": "integer", "description": "The HTTP status."},
        "detail": {**_TEXT, "description": "What is wrong with this request, and what would work."},
        "instance": {**_TEXT, "description": "The path of the request."},
        "reason": {**_TEXT, "description": "One of a closed list, for programs to act on.", "examples": ["SLOT_TAKEN"]},
        "domain": {**_TEXT, "description": "Whose list of reasons it is."},
        "violations": {
            "type": "array",
            "description": "The fields or rules that stand in the way.",
            "items": {"type": "object", "properties": {"field": _TEXT, "description": _TEXT}},
        },
        "alternatives": {"type": "array", "description": "Times that would work.", "items": {"type": "object"}},
        "metadata": {
            "type": "object",
            "description": "Figures that belong to the reason.",
            "additionalProperties": _TEXT,
        },
        "trace_id": {**_TEXT, "description": "Leads an operator to what happened."},
    },
}
_HEADERS: Mapping[str, tuple[str, Schema]] = {
    IDEMPOTENCY_KEY: (
        "Makes the call safe to repeat: the same key gets the same answer, once done. Stands for `request_id`.",
        {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
    ),
    IF_MATCH: (
        "The ETag that was last seen; the change is refused when it is not the present one. Stands for `etag`.",
        _TEXT,
    ),
    LAST_EVENT_ID: ("The id of the last event received; the stream goes on behind it.", _TEXT),
}


def document_of(bindings: Sequence[Binding], package: str) -> Schema:
    """The document of these bindings, whose contracts lie below a package."""
    comments = comments_of(package)
    schemas = Schemas(comments)
    operations = Operations(schemas, comments, examples_of(package))
    paths: dict[str, dict[str, Any]] = {}
    seen: dict[str, int] = {}
    told = [binding for binding in bindings if binding.verb in _VERBS]
    for binding in sorted(told, key=lambda one: (one.template.text, one.verb)):
        operation_id = f"{binding.method.containing_service.name}_{binding.method.name}"
        seen[operation_id] = count = seen.get(operation_id, 0) + 1
        unique = operation_id if count == 1 else f"{operation_id}_{count}"
        paths.setdefault(path_of(binding), {})[binding.verb.lower()] = operations.of(binding, unique)
    services = {binding.method.containing_service for binding in bindings}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Telemed scheduler",
            "version": version("telemed-scheduler"),
            "description": "Finds a patient the right doctor, books a time that is really free, opens the video visit. "
            "Every path also works below `/api`. Names may be written in camelCase too; an unknown name is refused.",
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "tags": [
            {"name": service.name, "description": comments.get(service.full_name, "")}
            for service in sorted(services, key=lambda one: one.name)
        ],
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
            "parameters": {
                name: {"name": name, "in": "header", "required": False, "description": told, "schema": schema}
                for name, (told, schema) in _HEADERS.items()
            },
            "responses": {status.name: refusal(status) for status in REFUSALS},
            "schemas": {"Problem": _PROBLEM, **dict(sorted(schemas.found.items()))},
        },
    }


@cache
def examples_of(package: str) -> Mapping[str, Example]:
    """A request and its answer for the RPCs that have an example, by the RPC's full name."""
    found: dict[str, Example] = {}
    for root in map(Path, import_module(package).__path__):
        found |= json.loads((root / _EXAMPLES).read_text())
    return found
