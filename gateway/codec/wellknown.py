"""The messages that JSON writes in a way of their own, in both directions: one table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.struct_pb2 import ListValue, Struct, Value

from gateway.codec import times
from gateway.codec.errors import BadValue
from gateway.codec.json_text import TwiceGiven
from gateway.codec.names import snake_case
from gateway.codec.scalars import read_string


@dataclass(frozen=True, slots=True)
class Form:
    """How one message type is written and read; `is_text` when its JSON is a text, so that URLs can carry it."""

    write: Callable[[Any], object]
    read: Callable[[Any, object], None]
    is_text: bool


def _write_mask(message: FieldMask) -> str:
    return ",".join(message.paths)


def _read_mask(message: FieldMask, value: object) -> None:
    text = read_string(value)
    message.paths[:] = [snake_case(path.strip()) for path in text.split(",")] if text else []


def _write_value(message: Value) -> object:
    kind = message.WhichOneof("kind")
    if kind is None or kind == "null_value":
        return None
    if kind == "struct_value":
        return _write_struct(message.struct_value)
    if kind == "list_value":
        return _write_list(message.list_value)
    return getattr(message, kind)


def _read_value(message: Value, value: object) -> None:
    if value is None:
        message.null_value = 0  # type: ignore[assignment]  # NullValue.NULL_VALUE, the only one
    elif type(value) is bool:
        message.bool_value = value
    elif type(value) is str:
        message.string_value = read_string(value)
    elif isinstance(value, dict):
        message.struct_value.SetInParent()
        _read_struct(message.struct_value, value)
    elif isinstance(value, list):
        message.list_value.SetInParent()
        _read_list(message.list_value, value)
    else:
        message.number_value = _finite(value)


def _finite(value: object) -> float:
    try:
        number = float(value)  # type: ignore[arg-type]  # int and float are all that JSON has left
    except OverflowError:
        raise BadValue("must be a finite number") from None
    if not isfinite(number):
        raise BadValue("must be a finite number")
    return number


def _write_struct(message: Struct) -> object:
    return {key: _write_value(value) for key, value in message.fields.items()}


def _read_struct(message: Struct, value: object) -> None:
    if not isinstance(value, dict):
        raise BadValue("must be an object")
    if isinstance(value, TwiceGiven):
        raise BadValue("is given twice").inside(value.key)
    for key, item in value.items():
        try:
            _read_value(message.fields[read_string(key)], item)
        except BadValue as error:
            raise error.inside(key) from None


def _write_list(message: ListValue) -> object:
    return [_write_value(value) for value in message.values]


def _read_list(message: ListValue, value: object) -> None:
    if not isinstance(value, list):
        raise BadValue("must be a list")
    for index, item in enumerate(value):
        try:
            _read_value(message.values.add(), item)
        except BadValue as error:
            raise error.inside(index) from None


FORMS: Mapping[str, Form] = {
    "google.protobuf.Timestamp": Form(times.write_timestamp, times.read_timestamp, is_text=True),
    "google.protobuf.Duration": Form(times.write_duration, times.read_duration, is_text=True),
    "google.type.Date": Form(times.write_date, times.read_date, is_text=True),
    "google.type.TimeOfDay": Form(times.write_time_of_day, times.read_time_of_day, is_text=True),
    "google.protobuf.FieldMask": Form(_write_mask, _read_mask, is_text=True),
    "google.protobuf.Value": Form(_write_value, _read_value, is_text=False),
    "google.protobuf.Struct": Form(_write_struct, _read_struct, is_text=False),
    "google.protobuf.ListValue": Form(_write_list, _read_list, is_text=False),
}
# One field called `value`, which stands for the message.
WRAPPERS = frozenset(
    f"google.protobuf.{kind}Value"
    for kind in ("Double", "Float", "Int64", "UInt64", "Int32", "UInt32", "Bool", "String", "Bytes")
)
# Messages whose JSON is not the object of their fields.
VALUES = WRAPPERS | FORMS.keys()
# A nested Any can be made to evade depth limits, and what it holds is not in the contract.
UNSUPPORTED = frozenset({"google.protobuf.Any"})
