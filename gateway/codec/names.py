"""The names of fields and enum values: which are written, and which are understood."""

import re
from functools import cache

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@cache
def fields_by_name(message: Descriptor) -> dict[str, FieldDescriptor]:
    """The fields of a message by each name that JSON may use: snake_case, camelCase and json_name.

    Raises ValueError when two fields could be meant by one name.
    """
    found: dict[str, FieldDescriptor] = {}
    for field in message.fields:
        for name in {field.name, field.json_name, camel_case(field.name)}:
            if name in found:
                raise ValueError(f"{message.full_name}: both {found[name].name} and {field.name} are called {name}")
            found[name] = field
    return found


def not_a_field(message: Descriptor) -> str:
    """What to say of a name that no field of the message has: which it has."""
    names = ", ".join(field.name for field in message.fields)
    return f"is not a field here; there are {names}" if names else "is not a field here; there is none"


def exclusion_key(field: FieldDescriptor) -> str:
    """What can be given only once: the oneof that a field belongs to, else the field itself.

    The oneof that proto3 makes up for an `optional` field has that one member, so it serves as well.
    """
    return f"oneof {field.containing_oneof.name}" if field.containing_oneof else field.name


@cache
def enum_names(enum: EnumDescriptor) -> dict[int, str]:
    """What each number of an enum is written as: PascalCase without the enum's own prefix."""
    names: dict[int, str] = {}
    for value in enum.values:
        names.setdefault(value.number, pascal_case(_without_prefix(enum, value.name)))
    return names


@cache
def enum_numbers(enum: EnumDescriptor) -> dict[str, int]:
    """The number of each spelling that is understood, as `enum_key` folds it: short names and full ones.

    Raises ValueError when two values could be meant by one spelling.
    """
    numbers: dict[str, int] = {}
    for value in enum.values:
        for name in (value.name, _without_prefix(enum, value.name)):
            if numbers.setdefault(enum_key(name), value.number) != value.number:
                raise ValueError(f"{enum.full_name}: {name} names two values")
    return numbers


def enum_key(spelling: str) -> str:
    """One key for GeneralConsultation, generalConsultation, general_consultation and GENERAL_CONSULTATION."""
    return spelling.casefold().replace("_", "")


def camel_case(snake: str) -> str:
    """`morning_start_time` as `morningStartTime`."""
    head, *tail = snake.split("_")
    return head + "".join(word[:1].upper() + word[1:] for word in tail)


def snake_case(camel: str) -> str:
    """`morningStartTime` as `morning_start_time`; a name already in snake_case stays as it is."""
    return _WORD_START.sub("_", camel).lower()


def pascal_case(upper: str) -> str:
    """`FOLLOW_UP` as `FollowUp`."""
    return "".join(word.capitalize() for word in upper.split("_"))


def _without_prefix(enum: EnumDescriptor, name: str) -> str:
    prefix = f"{snake_case(enum.name).upper()}_"
    return name.removeprefix(prefix) or name
