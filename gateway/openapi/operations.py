"""One operation of the document for each binding: parameters, body, answers."""

import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from gateway.codec.errors import BadValue
from gateway.codec.text import TextField
from gateway.http import JSON_TYPE
from gateway.openapi.schemas import Schema, Schemas, is_required
from gateway.problems import PROBLEM_TYPE
from gateway.routes import WHOLE_BODY, Binding
from gateway.stream import EVENT_STREAM_TYPE
from gateway.transcode import IDEMPOTENCY_KEY, IF_MATCH, LAST_EVENT_ID, body_field, etag_field

Example = Mapping[str, Any]

_VARIABLE = re.compile(r"\{([^{}=]+)(?:=[^{}]*)?\}")
_ALWAYS = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
)
_WITH_BODY = (
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
)
_OF_CHANGES = (HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY)
# Every status that a refusal can have, and so every shared response of the document.
REFUSALS = (*_ALWAYS, *_WITH_BODY, *_OF_CHANGES)


class Operations:
    """Tells bindings as OpenAPI operations."""

    def __init__(self, schemas: Schemas, comments: Mapping[str, str], examples: Mapping[str, Example]) -> None:
        self._schemas = schemas
        self._comments = comments
        self._examples = examples

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
        if binding.body:
            operation["requestBody"] = {"required": True, "content": {JSON_TYPE: self._body(binding)}}
        return operation

    def _body(self, binding: Binding) -> Schema:
        named = body_field(binding)
        if named is None:
            schema = self._without_path(binding, binding.method.input_type)
        elif named.message_type is not None and not named.is_repeated:
            schema = self._schemas.of_request(named.message_type)
        else:
            schema = self._schemas.of_field(named, is_request=True)
        content: Schema = {"schema": schema}
        if example := self._examples.get(binding.method.full_name):
            content["example"] = example["request"]
        return content

    def _without_path(self, binding: Binding, message: Descriptor) -> Schema:
        """The body's schema; what the path says already, the body may repeat but need not."""
        in_path = {variable.field for variable in binding.template.variables}
        if not in_path:
            return self._schemas.of_request(message)
        fields = [field for field in message.fields if field.name not in in_path]
        needed = [field.name for field in fields if is_required(field, is_request=True)]
        return {
            "type": "object",
            "properties": {field.name: self._schemas.of_field(field, is_request=True) for field in fields},
            "additionalProperties": False,
            **({"required": needed} if needed else {}),
        }

    def _in_path(self, binding: Binding) -> Iterator[Schema]:
        for variable in binding.template.variables:
            field = TextField.find(binding.method.input_type, variable.field).field
            yield self._parameter(variable.field, field, "path", is_needed=True)

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
        return {"name": name, "in": place, "required": is_needed, **described, "schema": schema}

    def _in_headers(self, binding: Binding) -> Iterator[Schema]:
        fields = binding.method.input_type.fields_by_name
        for is_there, header in (
            ("request_id" in fields, IDEMPOTENCY_KEY),
            (etag_field(binding) is not None, IF_MATCH),
            ("after_revision" in fields, LAST_EVENT_ID),
        ):
            if is_there:
                yield {"$ref": f"#/components/parameters/{header}"}

    def _responses(self, binding: Binding) -> Schema:
        method = binding.method
        shown = method.output_type.fields_by_name.get(binding.response_body)
        schema = (
            self._schemas.of_field(shown, is_request=False) if shown else self._schemas.of_answer(method.output_type)
        )
        content: Schema = {EVENT_STREAM_TYPE if method.server_streaming else JSON_TYPE: {"schema": schema}}
        example = self._examples.get(method.full_name)
        if example and not method.server_streaming:
            content[JSON_TYPE]["example"] = example["response"]
        told = self._comments.get(method.output_type.full_name, "The answer.")
        statuses = [*_ALWAYS, *(_WITH_BODY if binding.body else ()), *(_OF_CHANGES if binding.verb != "GET" else ())]
        return {
            "200": {"description": told, "content": content},
            **{str(status.value): {"$ref": f"#/components/responses/{status.name}"} for status in sorted(statuses)},
        }


def refusal(status: HTTPStatus) -> Schema:
    """The shared response of one status."""
    return {
        "description": f"{status.phrase}: `reason` says which rule, `detail` what would work.",
        "content": {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def path_of(binding: Binding) -> str:
    """The template as OpenAPI writes it: a variable is a name alone."""
    return _VARIABLE.sub(r"{\1}", binding.template.text)


def _is_text(message: Descriptor, field: FieldDescriptor) -> bool:
    try:
        TextField.find(message, field.name)
    except BadValue:
        return False
    return True


def _is_renamed(field: FieldDescriptor) -> bool:
    """Whether the contract gives the field a JSON name of its own, such as `from` for `from_time`."""
    return field.json_name.lower() != field.name.replace("_", "").lower()
