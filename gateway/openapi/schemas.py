"""JSON Schemas of the messages, as the codec reads and writes them."""

from collections.abc import Mapping
from typing import Any

from google.api import field_behavior_pb2
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from gateway.codec.names import enum_names
from gateway.codec.wellknown import FORMS, WRAPPERS

Schema = dict[str, Any]

_F = FieldDescriptor
_INT32 = {"type": "integer", "format": "int32", "minimum": -(2**31), "maximum": 2**31 - 1}
_UINT32 = {"type": "integer", "format": "uint32", "minimum": 0, "maximum": 2**32 - 1}
_WIDE = {"type": "string", "pattern": "^-?[0-9]{1,20}$"}
_SCALARS: Mapping[int, Schema] = {
    **dict.fromkeys((_F.TYPE_INT32, _F.TYPE_SINT32, _F.TYPE_SFIXED32), _INT32),
    **dict.fromkeys((_F.TYPE_UINT32, _F.TYPE_FIXED32), _UINT32),
    **dict.fromkeys((_F.TYPE_INT64, _F.TYPE_SINT64, _F.TYPE_SFIXED64, _F.TYPE_UINT64, _F.TYPE_FIXED64), _WIDE),
    _F.TYPE_DOUBLE: {"type": "number", "format": "double"},
    _F.TYPE_FLOAT: {"type": "number", "format": "float"},
    _F.TYPE_BOOL: {"type": "boolean"},
    _F.TYPE_STRING: {"type": "string"},
    _F.TYPE_BYTES: {"type": "string", "contentEncoding": "base64"},
}
_FORMS: Mapping[str, Schema] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Duration": {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$"},
    "google.type.Date": {"type": "string", "format": "date"},
    "google.type.TimeOfDay": {"type": "string", "examples": ["09:00"]},
    "google.protobuf.FieldMask": {"type": "string"},
    "google.protobuf.Value": {},
    "google.protobuf.Struct": {"type": "object"},
    "google.protobuf.ListValue": {"type": "array"},
}


class Schemas:
    """Collects the schemas that a document refers to; a message is told once for requests and once for answers.

    What is read is strict: no field but those named. What is written is complete: every field without presence.
    """

    def __init__(self, comments: Mapping[str, str]) -> None:
        self._comments = comments
        self._owners: dict[str, str] = {}
        self.found: dict[str, Schema] = {}

    def of_request(self, message: Descriptor) -> Schema:
        """A reference to the schema of a message that is read."""
        return self._message(message, is_request=True)

    def of_answer(self, message: Descriptor) -> Schema:
        """A reference to the schema of a message that is written."""
        return self._message(message, is_request=False)

    def of_member(self, field: FieldDescriptor, *, is_request: bool) -> Schema:
        """The schema of a field of an object: in a request null says as much as leaving it out."""
        schema = self.of_field(field, is_request=is_request)
        return _or_null(schema) if is_request and not is_required(field, is_request=True) else schema

    def of_field(self, field: FieldDescriptor, *, is_request: bool) -> Schema:
        """The schema of a field's value, with its comment."""
        entry = field.message_type if field.message_type and field.message_type.GetOptions().map_entry else None
        if entry is not None:
            value = entry.fields_by_name["value"]
            schema: Schema = {"type": "object", "additionalProperties": self._single(value, is_request=is_request)}
        elif field.is_repeated:
            schema = {"type": "array", "items": self._single(field, is_request=is_request)}
        else:
            schema = dict(self._single(field, is_request=is_request))
        if comment := self._comments.get(field.full_name):
            schema["description"] = comment
            if field.type == _F.TYPE_STRING and not field.is_repeated and "UUID" in comment.partition(".")[0]:
                schema |= _uuid(field, comment, is_request=is_request)
        if field_behavior_pb2.OUTPUT_ONLY in behavior(field):
            schema["readOnly"] = True
        return schema

    def _single(self, field: FieldDescriptor, *, is_request: bool) -> Schema:
        if field.message_type is not None:
            return self._message(field.message_type, is_request=is_request)
        if field.enum_type is not None:
            return self._enum(field.enum_type, is_request=is_request)
        return _SCALARS[field.type]

    def _message(self, message: Descriptor, *, is_request: bool) -> Schema:
        if message.full_name in FORMS:
            return _FORMS[message.full_name]
        if message.full_name in WRAPPERS:
            return self._single(message.fields_by_name["value"], is_request=is_request)
        name = _name_of(message, is_request=is_request)
        if self._is_new(name, message.full_name):
            # Known before its fields are, so that a message may hold itself.
            self.found[name] = schema = {"type": "object"}
            schema |= self._object(message, is_request=is_request)
        return {"$ref": f"#/components/schemas/{name}"}

    def _object(self, message: Descriptor, *, is_request: bool) -> Schema:
        shown = [f for f in message.fields if not (is_request and field_behavior_pb2.OUTPUT_ONLY in behavior(f))]
        needed = [f.name for f in shown if is_required(f, is_request=is_request)]
        schema: Schema = {
            "properties": {f.name: self.of_member(f, is_request=is_request) for f in shown},
            **({"required": needed} if needed else {}),
        }
        if is_request:
            schema["additionalProperties"] = False
        if comment := self._comments.get(message.full_name):
            schema["description"] = comment
        return schema

    def _enum(self, enum: EnumDescriptor, *, is_request: bool) -> Schema:
        name = enum.name if not is_request else f"{enum.name}Input"
        if self._is_new(name, enum.full_name):
            known = enum_names(enum)
            told = [
                f"`{known[value.number]}`: {comment}"
                for value in enum.values
                if value.number and (comment := self._comments.get(f"{enum.full_name}.{value.name}"))
            ]
            # Nothing is asked for by "unspecified", but an answer may say it.
            names = [text for number, text in known.items() if number or not is_request]
            lead = self._comments.get(enum.full_name, "")
            self.found[name] = {"type": "string", "enum": names, "description": "\n\n".join([lead, *told]).strip()}
        return {"$ref": f"#/components/schemas/{name}"}

    def _is_new(self, name: str, owner: str) -> bool:
        first = self._owners.setdefault(name, owner)
        if first != owner:
            raise ValueError(f"both {first} and {owner} would be called {name} in the document")
        return name not in self.found


def behavior(field: FieldDescriptor) -> list[int]:
    """The google.api.field_behavior values of a field."""
    return list(field.GetOptions().Extensions[field_behavior_pb2.field_behavior])


def is_required(field: FieldDescriptor, *, is_request: bool) -> bool:
    """Whether a request must say the field, or an answer always does."""
    if is_request:
        return field_behavior_pb2.REQUIRED in behavior(field)
    return not field.has_presence


def _or_null(schema: Schema) -> Schema:
    if "type" in schema and "anyOf" not in schema:
        return {**schema, "type": [schema["type"], "null"]}
    about: Schema = {name: schema[name] for name in ("description", "readOnly") if name in schema}
    choices = schema.get("anyOf") or [{name: told for name, told in schema.items() if name not in about}]
    return {**about, "anyOf": [*choices, {"type": "null"}]}


def _uuid(field: FieldDescriptor, comment: str, *, is_request: bool) -> Schema:
    """A UUID, or an empty text where that says as much as none."""
    if is_required(field, is_request=True) if is_request else "mpty" not in comment:
        return {"format": "uuid"}
    return {"anyOf": [{"type": "string", "format": "uuid"}, {"type": "string", "maxLength": 0}]}


def _name_of(message: Descriptor, *, is_request: bool) -> str:
    name = message.full_name.removeprefix(f"{message.file.package}.").replace(".", "")
    # A message of the contract named …Request is read alone; others may be both read and written.
    return f"{name}Input" if is_request and not name.endswith("Request") else name
