"""The OpenAPI 3.1 document of everything that the gateway serves."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

from google.protobuf.descriptor import Descriptor, ServiceDescriptor

from chassis import break_glass
from gateway.openapi.comments import comments_of
from gateway.openapi.operations import Example, Operations, path_of
from gateway.openapi.reasons import Reasons
from gateway.openapi.refusals import Refusals, headers, problem_schema
from gateway.openapi.schemas import Schema, Schemas
from gateway.routes import Binding
from gateway.tickets import TICKET
from gateway.transcode import IDEMPOTENCY_KEY, IF_MATCH, LAST_EVENT_ID

_EXAMPLES = "examples.json"
# What OpenAPI 3.1 has a word for. A custom method, or one route for all of them, works and cannot be told.
_VERBS = frozenset({"GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE"})
_HEADERS: Mapping[str, tuple[str, Schema]] = {
    IDEMPOTENCY_KEY: (
        "Makes the call safe to repeat: the same key gets the same answer, once done. Stands for `request_id`.",
        {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
    ),
    IF_MATCH: (
        "The ETag that was last seen; the change is refused when it is not the present one. Stands for `etag`.",
        {"type": "string", "pattern": r'^(\*|"[!#-~]{1,255}")$'},
    ),
    LAST_EVENT_ID: ("The id of the last event received; the stream goes on behind it.", {"type": "string"}),
    break_glass.HEADER: (
        "Why a doctor or an administrator reads what is not theirs: 10 to 500 characters, percent-encoded UTF-8. Loud.",
        {"type": "string", "minLength": 10},
    ),
}


def document_of(bindings: Sequence[Binding], package: str) -> Schema:
    """The document of these bindings, whose contracts lie below a package."""
    comments = comments_of(package)
    schemas = Schemas(comments)
    operations = Operations(schemas, package, examples_of(package))
    reasons = Reasons(package)
    paths: dict[str, dict[str, Any]] = {}
    seen: dict[str, int] = {}
    told = [binding for binding in bindings if binding.verb in _VERBS]
    for binding in sorted(told, key=lambda one: (one.template.text, one.verb)):
        operation_id = f"{binding.method.containing_service.name}_{binding.method.name}"
        seen[operation_id] = count = seen.get(operation_id, 0) + 1
        unique = operation_id if count == 1 else f"{operation_id}_{count}"
        paths.setdefault(path_of(binding), {})[binding.verb.lower()] = operations.of(binding, unique)
    services = {binding.method.containing_service for binding in bindings}
    problem = problem_schema(reasons, schemas, list(_messages_below(services)))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Telemed scheduler",
            "version": version("telemed-scheduler"),
            "description": "Finds a patient the right doctor, books a time that is really free, opens the video visit. "
            "Every path also works below `/api`. Names may be written in camelCase too; an unknown name is refused, "
            "and null says as much as leaving a name out.",
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "tags": [
            {"name": service.name, "description": comments.get(service.full_name, "")}
            for service in sorted(services, key=lambda one: one.name)
        ],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "A token of the clinic's identity provider; its role is patient, doctor, admin or "
                    "service.",
                },
                "ticket": {
                    "type": "apiKey",
                    "in": "query",
                    "name": TICKET,
                    "description": "In place of a token where a browser can send no header: it opens one stream, once, "
                    "within a minute.",
                },
            },
            "parameters": {
                name: {"name": name, "in": "header", "required": False, "description": told, "schema": schema}
                for name, (told, schema) in _HEADERS.items()
            },
            "headers": headers(),
            "responses": Refusals(reasons).shared(),
            "schemas": {"Problem": problem, **dict(sorted(schemas.found.items()))},
        },
    }


def _messages_below(services: Iterable[ServiceDescriptor]) -> Iterator[Descriptor]:
    """The messages of the files of the services and of all that those import."""
    waiting, seen = [service.file for service in services], set()
    while waiting:
        file = waiting.pop()
        if file.name not in seen:
            seen.add(file.name)
            yield from file.message_types_by_name.values()
            waiting += file.dependencies


@cache
def examples_of(package: str) -> Mapping[str, Example]:
    """A request and its answer for the RPCs that have an example, by the RPC's full name."""
    found: dict[str, Example] = {}
    for root in map(Path, import_module(package).__path__):
        found |= json.loads((root / _EXAMPLES).read_text())
    return found
