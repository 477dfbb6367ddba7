"""One operation of the document for each binding: parameters, body, answers."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from chassis import break_glass
from gateway.codec.errors import BadValue
from gateway.codec.text import TextField
from gateway.http import JSON_TYPE
from gateway.openapi.comments import comments_of
from gateway.openapi.reasons import Reasons
from gateway.openapi.refusals import PROBLEM, Refusals, header
from gateway.openapi.samples import Samples
from gateway.openapi.schemas import Schema, Schemas, is_required
from gateway.routes import WHOLE_BODY, Binding
from gateway.stream import EVENT_STREAM_TYPE
from gateway.transcode import (
    IDEMPOTENCY_KEY,
    IF_MATCH,
    LAST_EVENT_ID,
    after_field,
    body_field,
    body_message,
    etag_field,
    path_to,
    position_of,
)

Example = Mapping[str, Any]

_VARIABLE = re.compile(r"\{([^{}=]+)(?:=[^{}]*)?\}")
# Where a browser that can send no header says its single-use ticket, and the RPC that makes one.
_TICKET_SCHEME, _TICKET_RPC = "ticket", "CreateStreamTicket"
_SSE = (
    "Server-sent events; `message` is what an event without a name is called, and `problem` is the last of a stream. "
    "Lines with a colon first are signs of life. The stream ends after a while in any case: come again with a fresh "
    "token{resume}."
)


class Operations:
    """Tells bindings as OpenAPI operations."""

    def __init__(self, schemas: Schemas, package: str, examples: Mapping[str, Example]) -> None:
        self._schemas = schemas
        self._comments = comments_of(package)
        self._examples = examples
        self._samples = Samples(package)
        self._reasons = Reasons(package)
        self._refusals = Refusals(self._reasons)

    def of(self, binding: Binding, operation_id: str) -> Schema:
        """The operation of one binding."""
        method = binding.method
        comment = self._comments.get(method.full_name, "")
        summary, _, _ = comment.partition(". ")
        operation: Schema = {
            "operationId": operation_id,
            "tags": [method.containing_service.name],
            "summary": summary.rstrip(".") + "." if summary else method.name,
            "description": comment,
            "parameters": [*self._in_path(binding), *self._in_query(binding), *self._in_headers(binding)],
            "responses": self._responses(binding),
        }
        if _takes_tickets(binding):
            operation["security"] = [{"bearer": []}, {_TICKET_SCHEME: []}]
        if binding.body:
            operation["requestBody"] = {"required": True, "content": {JSON_TYPE: self._body(binding)}}
        return operation

    def _body(self, binding: Binding) -> Schema:
        named, message = body_field(binding), body_message(binding)
        in_path = frozenset(_shown(variable.field) for variable in binding.template.variables)
        if named is None:
            schema = self._without_path(binding, binding.method.input_type)
            said: object = self._samples.request(binding.method.input_type, in_path)
        elif message is not None:
            schema, said = self._schemas.of_request(message), self._samples.request(message, in_path)
        else:
            schema = self._schemas.of_field(named, is_request=True)
            said = self._samples.of_field(named, is_request=True)
        if example := self._examples.get(binding.method.full_name):
            said = example["request"]
        return {"schema": schema, "example": said}

    def _without_path(self, binding: Binding, message: Descriptor) -> Schema:
        """The body's schema; what the path says already, the body may repeat but need not."""
        in_path = {variable.field for variable in binding.template.variables}
        if not in_path:
            return self._schemas.of_request(message)
        fields = [field for field in message.fields if field.name not in in_path]
        needed = [field.name for field in fields if is_required(field, is_request=True)]
        return {
            "type": "object",
            "properties": {field.name: self._schemas.of_member(field, is_request=True) for field in fields},
            "additionalProperties": False,
            **({"required": needed} if needed else {}),
        }

    def _in_path(self, binding: Binding) -> Iterator[Schema]:
        for variable in binding.template.variables:
            field = TextField.find(binding.method.input_type, variable.field).field
            yield self._parameter(_shown(variable.field), field, "path", is_needed=True)

    def _in_query(self, binding: Binding) -> Iterator[Schema]:
        if binding.body == WHOLE_BODY:
            return
        taken = {variable.field for variable in binding.template.variables} | {binding.body}
        request = binding.method.input_type
        yield from self._flattened(request, "", taken, {request.full_name})

    def _flattened(self, message: Descriptor, prefix: str, taken: set[str], around: set[str]) -> Iterator[Schema]:
        """The parameters below a message; one that holds itself is read to any depth and told to its first."""
        for field in message.fields:
            name = f"{prefix}{field.name}"
            if name in taken:
                continue
            if _is_text(message, field):
                shown = f"{prefix}{field.json_name}" if _is_renamed(field) else name
                yield self._parameter(shown, field, "query", is_needed=is_required(field, is_request=True))
            elif (inner := field.message_type) is not None and not field.is_repeated and inner.full_name not in around:
                yield from self._flattened(inner, f"{name}.", taken, around | {inner.full_name})

    def _parameter(self, name: str, field: FieldDescriptor, place: str, *, is_needed: bool) -> Schema:
        schema = self._schemas.of_field(field, is_request=True)
        described = {"description": schema.pop("description")} if "description" in schema else {}
        if place == "path" and schema.get("type") == "string":
            schema = {**schema, "minLength": 1}
        shown = {"example": self._samples.of_field(field, is_request=True)} if is_needed else {}
        return {"name": name, "in": place, "required": is_needed, **described, "schema": schema, **shown}

    def _in_headers(self, binding: Binding) -> Iterator[Schema]:
        fields = binding.method.input_type.fields_by_name
        for is_there, name in (
            ("request_id" in fields, IDEMPOTENCY_KEY),
            (etag_field(binding) is not None, IF_MATCH),
            (binding.method.server_streaming and after_field(binding) is not None, LAST_EVENT_ID),
            (binding.verb == "GET", break_glass.HEADER),
        ):
            if is_there:
                yield {"$ref": f"#/components/parameters/{name}"}

    def _responses(self, binding: Binding) -> Schema:
        return {"200": self._answer(binding), **self._refusals.of(binding)}

    def _answer(self, binding: Binding) -> Schema:
        method = binding.method
        told = self._comments.get(method.output_type.full_name, "The answer.")
        shown = method.output_type.fields_by_name.get(binding.response_body)
        if shown is None:
            schema, said = self._schemas.of_answer(method.output_type), self._samples.answer(method.output_type)
        else:
            schema = self._schemas.of_field(shown, is_request=False)
            said = self._samples.of_field(shown, is_request=False)
        if example := self._examples.get(method.full_name):
            said = example["response"]
        headers = {"X-Request-Id": header("X-Request-Id")}
        if method.server_streaming:
            content = {EVENT_STREAM_TYPE: _events(binding, schema, said)}
            return {"description": told, "headers": headers, "content": content}
        if path_to("etag", method.output_type):
            headers["ETag"] = header("ETag")
        return {"description": told, "headers": headers, "content": {JSON_TYPE: {"schema": schema, "example": said}}}


def _events(binding: Binding, schema: Schema, said: object) -> Schema:
    """One event, the way OpenAPI 3.2 tells an item of a sequence: 3.1 has no word of its own for it."""
    has_position = bool(position_of(binding.method.output_type))
    message = _event("message", schema, {"id": {"type": "string"}} if has_position else {})
    lines = ["id: 42"] if has_position else []
    text = [": alive", "", *lines, f"data: {json.dumps(said, separators=(',', ':'))}", "", ""]
    told = _SSE.format(resume=f" and the last `id` as `{LAST_EVENT_ID}`" if has_position else "")
    return {
        "schema": {"description": told, "oneOf": [message, _event("problem", PROBLEM, {})]},
        "example": "\n".join(text),
    }


def _event(name: str, schema: Schema, more: Schema) -> Schema:
    data = {"type": "string", "contentMediaType": JSON_TYPE, "contentSchema": schema}
    properties = {"event": {"const": name}, "data": data, **more}
    return {"type": "object", "required": list(properties), "properties": properties}


def _takes_tickets(binding: Binding) -> bool:
    service = binding.method.containing_service
    return binding.method.server_streaming and _TICKET_RPC in service.methods_by_name


def path_of(binding: Binding) -> str:
    """The template as OpenAPI writes it: a variable is a name alone."""
    return _VARIABLE.sub(lambda found: f"{{{_shown(found[1])}}}", binding.template.text)


def _shown(field: str) -> str:
    """A variable of a path as OpenAPI calls it: `doctor.doctor_id` stands where another RPC has `doctor_id`."""
    return field.rpartition(".")[2]


def _is_text(message: Descriptor, field: FieldDescriptor) -> bool:
    try:
        TextField.find(message, field.name)
    except BadValue:
        return False
    return True


def _is_renamed(field: FieldDescriptor) -> bool:
    """Whether the contract gives the field a JSON name of its own, such as `from` for `from_time`."""
    return field.json_name.lower() != field.name.replace("_", "").lower()
