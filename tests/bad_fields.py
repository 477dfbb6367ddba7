"""The fields of a service's requests, from the descriptors, and requests over HTTP in which one of them is wrong."""

import json
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from google.api import field_behavior_pb2
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor, ServiceDescriptor

from chassis.context import Role
from gateway.codec.wellknown import FORMS
from gateway.routes import WHOLE_BODY, Binding, bindings_of
from gateway.transcode import IDEMPOTENCY_KEY
from tests.fix_clinic import Clinic

_F = FieldDescriptor
_INT = "int"
# What JSON may not hold for a field of each kind, and what the text of a URL may not.
_WRONG_JSON: Mapping[str, tuple[Any, ...]] = {
    "string": (7, True, {"a": 1}, "a\0b", "\ud800"),
    _INT: ("x", "7", 1.5, True, 2**31, [1]),
    "bool": ("yes", 1, {}),
    "double": ("x", True, [1.0]),
    "enum": ("Nonsense", 1, True),
    "google.type.Date": ("2026-02-30", "tomorrow", 7, ""),
    "google.type.TimeOfDay": ("25:00", "noon", 9, "24:30"),
    "google.protobuf.Timestamp": ("yesterday", 7, "2026-13-01T00:00:00Z"),
    "google.protobuf.FieldMask": (7, ["bio"]),
}
_WRONG_TEXT: Mapping[str, tuple[str, ...]] = {
    "string": ("a\0b",),
    _INT: ("x", "1.5", "2147483648", ""),
    "bool": ("maybe", "1"),
    "double": ("x", "NaN", "Infinity"),
    "enum": ("Nonsense", "1"),
    "google.type.Date": ("2026-02-30", "tomorrow"),
    "google.type.TimeOfDay": ("25:00",),
    "google.protobuf.Timestamp": ("yesterday",),
    "google.protobuf.FieldMask": (),
}


@dataclass(frozen=True, slots=True)
class Leaf:
    """One field that a caller can set, with the fields on the way to it."""

    method: MethodDescriptor
    way: tuple[FieldDescriptor, ...]

    @property
    def field(self) -> FieldDescriptor:
        return self.way[-1]

    @property
    def kind(self) -> str:
        """What values it takes: the name of a message, or of a group of scalars."""
        field = self.field
        if field.message_type is not None:
            return field.message_type.full_name
        if field.enum_type is not None:
            return "enum"
        scalars = {_F.TYPE_STRING: "string", _F.TYPE_BOOL: "bool", _F.TYPE_DOUBLE: "double"}
        return scalars.get(field.type, _INT)

    @property
    def owner(self) -> str:
        """The message that has the field, by its short name."""
        return self.field.containing_type.name

    @property
    def path(self) -> str:
        return ".".join(field.name for field in self.way)

    def __str__(self) -> str:
        return f"{self.method.name} {self.path}"


def leaves_of(service: ServiceDescriptor) -> Iterator[Leaf]:
    """Every field of every request that is not the service's own to fill in."""
    for method in service.methods:
        yield from _below(method, ())


def binding_of(method: MethodDescriptor) -> Binding:
    """How the RPC is called over HTTP."""
    return next(one for one in bindings_of(method.containing_service) if one.method is method)


@dataclass(frozen=True, slots=True)
class Wrong:
    """A request in which one field is wrong, and the name that the answer must give it."""

    leaf: Leaf
    value: Any
    named: str
    verb: str
    path: str
    query: Mapping[str, str]
    body: Any
    headers: Mapping[str, str]


def wrong_types(leaf: Leaf) -> tuple[Any, ...]:
    """Values that cannot be one of the field's, where the field is set."""
    place = _place_of(leaf)
    if place == "path" or leaf.path == "request_id":
        return ()
    return _WRONG_TEXT[leaf.kind] if place == "query" else _WRONG_JSON[leaf.kind]


def with_value(leaf: Leaf, good: Mapping[str, Any], value: Any, named: str = "") -> Wrong:
    """The good request (by the names of the fields) with another value in one field; a repeated one gets a list.

    `named` is the expected name where it is not the field's own.
    """
    binding, request = binding_of(leaf.method), deepcopy(dict(good))
    headers = {}
    if leaf.path == "request_id":
        headers[IDEMPOTENCY_KEY] = value
    else:
        at: Any = request
        for step in leaf.way[:-1]:
            at = at.setdefault(step.name, [{}] if step.is_repeated else {})
            at = at[0] if step.is_repeated else at
        at[leaf.field.name] = [value] if leaf.field.is_repeated and not isinstance(value, list) else value
    path = binding.template.text
    for variable in binding.template.variables:
        path = path.replace("{" + variable.field + "}", quote(str(_take(request, variable.field.split("."))), safe=""))
    body = None
    if binding.body == WHOLE_BODY:
        body, request = {_shown(leaf.method, name): item for name, item in request.items()}, {}
    elif binding.body:
        body = request.pop(binding.body, {})
    query = {_shown(leaf.method, name): _text(item) for name, item in request.items()}
    return Wrong(leaf, value, named or _named(leaf, binding), binding.verb, path, query, body, headers)


def wrong_requests(leaf: Leaf, good: Mapping[str, Any], rows: Iterable[Any]) -> Iterator[Wrong]:
    """Requests with values of a wrong type, and with those of some rows: a value, perhaps with the name it is given."""
    for value in wrong_types(leaf):
        yield with_value(leaf, good, value)
    for row in rows:
        value, named = row if isinstance(row, tuple) else (row, "")
        spoiled = with_value(leaf, good, value)
        yield with_value(
            leaf, good, value, named.replace("…", spoiled.named.rpartition(".")[0] + "." * ("." in spoiled.named))
        )


def send(clinic: Clinic, wrong: Wrong) -> str:
    """What is wrong with the answer; empty when it is right."""
    body = None if wrong.body is None else json.dumps(wrong.body)
    # Each from an administrator of its own: so many calls of one person would be held back.
    headers = (
        clinic.headers(Role.ADMIN, str(uuid4()))
        | wrong.headers
        | ({"Content-Type": "application/json"} if body else {})
    )
    answer = clinic.http.request(wrong.verb, wrong.path, params=wrong.query, content=body, headers=headers)
    told = [violation.get("field") for violation in answer.json().get("violations", [])] if answer.content else []
    if answer.status_code == 400 and told == [wrong.named]:
        return ""
    return f"{wrong.leaf} = {wrong.value!r:.60}: {answer.status_code} {told} for {wrong.named}: {answer.text:.200}"


def _below(method: MethodDescriptor, way: tuple[FieldDescriptor, ...]) -> Iterator[Leaf]:
    message = way[-1].message_type if way else method.input_type
    for field in message.fields:
        behaviour = field.GetOptions().Extensions[field_behavior_pb2.field_behavior]
        if way and field_behavior_pb2.OUTPUT_ONLY in behaviour:
            continue
        if field.message_type is None or field.message_type.full_name in FORMS:
            yield Leaf(method, (*way, field))
        else:
            yield from _below(method, (*way, field))


def _place_of(leaf: Leaf) -> str:
    binding = binding_of(leaf.method)
    if leaf.path in {variable.field for variable in binding.template.variables}:
        return "path"
    return "body" if binding.body in (WHOLE_BODY, leaf.way[0].name) else "query"


def _take(request: dict[str, Any], steps: list[str]) -> Any:
    """The value at a path, which leaves the request: a path of the URL has it."""
    at = request
    for step in steps[:-1]:
        at = at[step]
    return at.pop(steps[-1])


def _shown(method: MethodDescriptor, name: str) -> str:
    """The name of a field of a request in JSON: its own, or the one that the contract gives it there."""
    return _public(method.input_type.fields_by_name[name])


def _public(field: FieldDescriptor) -> str:
    head, *rest = field.name.split("_")
    camel = head + "".join(word.capitalize() for word in rest)
    return field.name if field.json_name == camel else field.json_name


def _named(leaf: Leaf, binding: Binding) -> str:
    if leaf.path == "request_id":
        return IDEMPOTENCY_KEY
    way = leaf.way[1:] if binding.body == leaf.way[0].name else leaf.way
    if _place_of(leaf) == "path":
        return leaf.field.name
    names = [_public(field) + ("[0]" if field.is_repeated else "") for field in way]
    return ".".join(names)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
