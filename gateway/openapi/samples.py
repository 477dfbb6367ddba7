"""Examples of messages as JSON: values by the names of fields where the contract has some, else by their types."""

import json
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from google.api import field_behavior_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message_factory import GetMessageClass

from gateway.codec.errors import BadValue
from gateway.codec.names import enum_names
from gateway.codec.wellknown import FORMS, WRAPPERS

_FILE = "samples.json"
_DEEPEST = 4
_F = FieldDescriptor
_NUMBERS = (_F.TYPE_DOUBLE, _F.TYPE_FLOAT)
_WIDE = (_F.TYPE_INT64, _F.TYPE_SINT64, _F.TYPE_SFIXED64, _F.TYPE_UINT64, _F.TYPE_FIXED64)
_FORMS: Mapping[str, Any] = {
    "google.protobuf.Timestamp": "2026-12-01T15:00:00Z",
    "google.protobuf.Duration": "30s",
    "google.type.Date": "2026-12-01",
    "google.type.TimeOfDay": "09:00",
    "google.protobuf.FieldMask": "",
    "google.protobuf.Struct": {},
    "google.protobuf.Value": None,
    "google.protobuf.ListValue": [],
}
# A header says it better, or it is left out by whoever has none.
_UNSAID = frozenset({"request_id", "page_token", "at_least_revision", "etag"})


@cache
def _values(package: str) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    for root in map(Path, import_module(package).__path__):
        found |= json.loads((root / _FILE).read_text())
    return found


class Samples:
    """Makes examples that the codec reads and writes; the same each time."""

    def __init__(self, package: str) -> None:
        self._named = _values(package)

    def request(self, message: Descriptor, besides: frozenset[str] = frozenset()) -> dict[str, Any]:
        """A message as a caller would write it, without the fields that stand elsewhere."""
        shown = {field.name for field in message.fields if not _is_output(field)} - besides - _UNSAID
        return self._message(message, shown, is_request=True, depth=0)

    def answer(self, message: Descriptor) -> dict[str, Any]:
        """A message as it is answered."""
        return self._message(message, {field.name for field in message.fields}, is_request=False, depth=0)

    def of_field(self, field: FieldDescriptor, *, is_request: bool) -> Any:
        """The value of one field."""
        return self._value(field, is_request=is_request, depth=0)

    def _message(self, message: Descriptor, shown: set[str], *, is_request: bool, depth: int) -> dict[str, Any]:
        said: dict[str, Any] = {}
        chosen: set[str] = set()
        for field in message.fields:
            one_of = field.containing_oneof.name if field.containing_oneof else field.name
            if field.name not in shown or one_of in chosen:
                continue
            chosen.add(one_of)
            if field.message_type is not None and depth >= _DEEPEST and field.message_type.full_name not in FORMS:
                continue
            said[field.name] = self._value(field, is_request=is_request, depth=depth)
        return said

    def _value(self, field: FieldDescriptor, *, is_request: bool, depth: int) -> Any:
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            return {}
        value = self._single(field, is_request=is_request, depth=depth)
        return [value] if field.is_repeated else value

    def _single(self, field: FieldDescriptor, *, is_request: bool, depth: int) -> Any:
        message = field.message_type
        named = self._named.get(field.name)
        if message is not None and message.full_name in WRAPPERS:
            return self._single(message.fields_by_name["value"], is_request=is_request, depth=depth)
        if message is not None and message.full_name in FORMS:
            by_type = _FORMS[message.full_name]
            return named if _is_like(named, by_type) and _is_written(message, named) else by_type
        if message is not None:
            inner = {one.name for one in message.fields if not (is_request and _is_output(one))}
            return self._message(
                message, inner - (_UNSAID if is_request else set()), is_request=is_request, depth=depth + 1
            )
        if field.enum_type is not None:
            return next(name for number, name in enum_names(field.enum_type).items() if number)
        by_type = _by_type(field)
        return named if _is_like(named, by_type) else by_type


def _by_type(field: FieldDescriptor) -> Any:
    if field.type == _F.TYPE_STRING:
        return "text"
    if field.type == _F.TYPE_BYTES:
        return "AAEC"
    if field.type == _F.TYPE_BOOL:
        return False
    if field.type in _NUMBERS:
        return 1.0
    return "1" if field.type in _WIDE else 1


def _is_like(named: Any, by_type: Any) -> bool:
    return type(named) is type(by_type)


def _is_written(message: Descriptor, named: Any) -> bool:
    """Whether a value is what the codec would write for a message of that form."""
    form, read = FORMS[message.full_name], GetMessageClass(message)()
    try:
        form.read(read, named)
    except BadValue:
        return False
    return bool(form.write(read) == named)


def _is_output(field: FieldDescriptor) -> bool:
    return field_behavior_pb2.OUTPUT_ONLY in field.GetOptions().Extensions[field_behavior_pb2.field_behavior]
