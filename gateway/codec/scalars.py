"""Single values: each protobuf scalar and enum from a JSON value, from the text of a URL, and into JSON."""

import base64
import binascii
import re
import struct
from collections.abc import Callable
from math import isfinite

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor

from gateway.codec.errors import BadValue
from gateway.codec.names import enum_key, enum_names, enum_numbers

Read = Callable[[object], object]
ReadText = Callable[[str], object]
Write = Callable[[object], object]

_F = FieldDescriptor
_INT32 = (-(2**31), 2**31 - 1)
_UINT32 = (0, 2**32 - 1)
_INT64 = (-(2**63), 2**63 - 1)
_UINT64 = (0, 2**64 - 1)
_RANGES = {
    **dict.fromkeys((_F.TYPE_INT32, _F.TYPE_SINT32, _F.TYPE_SFIXED32), _INT32),
    **dict.fromkeys((_F.TYPE_UINT32, _F.TYPE_FIXED32), _UINT32),
    **dict.fromkeys((_F.TYPE_INT64, _F.TYPE_SINT64, _F.TYPE_SFIXED64), _INT64),
    **dict.fromkeys((_F.TYPE_UINT64, _F.TYPE_FIXED64), _UINT64),
}
# JavaScript numbers lose whole numbers beyond 53 bits, so these are written as text and may be read from it.
_WIDE = (_INT64, _UINT64)
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,19})")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_BOOLS = {"true": True, "false": False}


class _Names(dict[int, object]):
    """The names of an enum. A number that this build does not know is its own: newer services may be ahead of us."""

    def __missing__(self, number: int) -> object:
        return number


def reader(field: FieldDescriptor) -> Read:
    """Turns a JSON value into one of the field's type; raises BadValue for every other type and range."""
    if field.type in _RANGES:
        bounds = _RANGES[field.type]
        return _wide_integer(bounds) if bounds in _WIDE else _integer(bounds)
    if field.enum_type is not None:
        return _enum(field.enum_type)
    return _READERS[field.type]


def text_reader(field: FieldDescriptor) -> ReadText:
    """Turns the text of a query parameter or path segment into a value of the field's type."""
    if field.type in _RANGES:
        return _integer_text(_RANGES[field.type])
    if field.type in (_F.TYPE_DOUBLE, _F.TYPE_FLOAT):
        return _number_text(_READERS[field.type])
    if field.type == _F.TYPE_BOOL:
        return _bool_text
    return reader(field)


def writer(field: FieldDescriptor) -> Write | None:
    """Turns a value of the field's type into what JSON holds; None when it is that already."""
    if _RANGES.get(field.type) in _WIDE:
        return str
    if field.enum_type is not None:
        return _Names(enum_names(field.enum_type)).__getitem__  # type: ignore[return-value]  # it is asked for ints alone
    return _WRITERS.get(field.type)


def _integer(bounds: tuple[int, int]) -> Read:
    low, high = bounds

    def read(value: object) -> int:
        if type(value) is not int:  # bool is an int to isinstance, not to JSON
            raise BadValue("must be a whole number")
        if not low <= value <= high:
            raise BadValue(f"must be between {low} and {high}")
        return value

    return read


def _wide_integer(bounds: tuple[int, int]) -> Read:
    plain, from_text = _integer(bounds), _integer_text(bounds)
    return lambda value: from_text(value) if isinstance(value, str) else plain(value)


def _integer_text(bounds: tuple[int, int]) -> ReadText:
    check = _integer(bounds)

    def read(text: str) -> object:
        if not _INTEGER.fullmatch(text):
            raise BadValue("must be a whole number")
        return check(int(text))

    return read


def _double(value: object) -> float:
    if type(value) is not float and type(value) is not int:
        raise BadValue("must be a number")
    try:
        number = float(value)
    except OverflowError:
        raise BadValue("must be a finite number") from None
    if not isfinite(number):
        raise BadValue("must be a finite number")
    return number


def _float(value: object) -> float:
    number = _double(value)
    try:
        # Rounds first: the shortest text of the largest float is a little larger than it.
        struct.pack("<f", number)
    except OverflowError:
        raise BadValue("must fit a 32-bit floating-point number") from None
    return number


def _number_text(check: Read) -> ReadText:
    def read(text: str) -> object:
        if not _NUMBER.fullmatch(text):
            raise BadValue("must be a number")
        return check(float(text))

    return read


def _bool(value: object) -> bool:
    if type(value) is not bool:
        raise BadValue("must be true or false")
    return value


def _bool_text(text: str) -> bool:
    try:
        return _BOOLS[text]
    except KeyError:
        raise BadValue("must be true or false") from None


def read_string(value: object) -> str:
    """A JSON text as a protobuf string."""
    if type(value) is not str:
        raise BadValue("must be a text")
    # PostgreSQL cannot store U+0000 in a text, and half a surrogate pair is no character in UTF-8.
    if "\0" in value or (not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value)):
        raise BadValue("must hold Unicode characters other than U+0000")
    return value


def _bytes(value: object) -> bytes:
    if type(value) is not str:
        raise BadValue("must be a text in base64")
    try:
        # Either alphabet, with padding or without.
        padded = value if value.endswith("=") else value + "=" * (-len(value) % 4)
        return base64.b64decode(padded.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        raise BadValue("must be a text in base64") from None


def _enum(enum: EnumDescriptor) -> Read:
    numbers = enum_numbers(enum)
    known = ", ".join(name for number, name in enum_names(enum).items() if number)

    def read(value: object) -> int:
        number = numbers.get(enum_key(value)) if type(value) is str else None
        if number is None:
            raise BadValue(f"must be one of {known}")
        return number

    return read


def _shortest_float(value: object) -> object:
    """The shortest decimal that is the same 32-bit float: 0.1 and not 0.10000000149011612."""
    exact = struct.pack("<f", value)
    return next(
        (short for digits in range(6, 9) if struct.pack("<f", short := float(f"{value:.{digits}g}")) == exact), value
    )


_READERS: dict[int, Read] = {
    _F.TYPE_DOUBLE: _double,
    _F.TYPE_FLOAT: _float,
    _F.TYPE_BOOL: _bool,
    _F.TYPE_STRING: read_string,
    _F.TYPE_BYTES: _bytes,
}
_WRITERS: dict[int, Write] = {
    _F.TYPE_BYTES: lambda value: base64.b64encode(value).decode("ascii"),  # type: ignore[arg-type]
    _F.TYPE_FLOAT: _shortest_float,
}
