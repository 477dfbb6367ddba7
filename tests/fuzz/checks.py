"""What is asked of every answer: schemathesis' checks against the document, and our own about traces and leaks."""

import json
import re

from jsonschema import Draft202012Validator
from schemathesis import Case, CheckContext, Response
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from gateway.stream import EVENT_STREAM_TYPE

_TRACE_ID = re.compile(r"[0-9a-f]{32}")
# What only the inside of the system says: languages of the machine room, its libraries, its files.
_INSIDE = re.compile(
    r"Traceback|File \"|\.py\b|psycopg|asyncpg|sqlstate|SELECT |INSERT INTO|relation \"|constraint \"|"
    r"grpc\._|AioRpcError|site-packages|/tmp/|DETAIL:|Exception\b|object at 0x"
)


def is_traceable(_: CheckContext, response: Response, __: Case) -> None:
    """Every answer names its request, and every refusal its trace."""
    assert response.headers.get("x-request-id"), "an answer without X-Request-Id"
    if response.status_code >= 400:
        assert _TRACE_ID.fullmatch(response.json()["trace_id"]), "a refusal without a trace id"


def keeps_the_inside_inside(_: CheckContext, response: Response, case: Case) -> None:
    """A refusal says nothing that only the machine room knows, unless the caller said it first."""
    found = _INSIDE.search(response.text) if response.status_code >= 400 else None
    assert found is None or found[0] in repr((case.path_parameters, case.query, case.body)), f"leaked: {found[0]!r}"


def tells_events_as_the_document_does(_: CheckContext, response: Response, case: Case) -> None:
    """What stands in an event is what the document says of its name."""
    told = case.operation.definition.raw["responses"]["200"]["content"].get(EVENT_STREAM_TYPE)
    if told is None or response.status_code != 200:
        return
    schemas = {one["properties"]["event"]["const"]: one["properties"]["data"] for one in told["schema"]["oneOf"]}
    for event in response.text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in event.splitlines() if not line.startswith(":"))
        if lines:
            schema = schemas[lines.get("event", "message")]["contentSchema"]
            components = case.operation.schema.raw_schema["components"]
            Draft202012Validator({**schema, "components": components}).validate(json.loads(lines["data"]))


def lets_nobody_in(_: CheckContext, response: Response, __: Case) -> None:
    """Without a token nothing is answered, whatever is asked."""
    assert response.status_code == 401, f"answered {response.status_code} to nobody"


ALL = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    is_traceable,
    keeps_the_inside_inside,
    tells_events_as_the_document_does,
]
# Nobody gets so far that an error of the request would count.
FOR_NOBODY = [lets_nobody_in, *(check for check in ALL if check is not negative_data_rejection)]
