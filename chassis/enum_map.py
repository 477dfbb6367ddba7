"""Protobuf enums to Python's and back, by name: PREFIX_FOLLOW_UP is FOLLOW_UP."""

from enum import Enum
from typing import Any, Generic, TypeVar

from google.protobuf.descriptor import EnumDescriptor

from kernel.errors import InvalidArgument

E = TypeVar("E", bound=Enum)


class EnumMap(Generic[E]):
    """The pairs of one protobuf enum and one Python enum; both must have the same names, but for UNSPECIFIED."""

    def __init__(self, descriptor: EnumDescriptor, enum: type[E]) -> None:
        prefix = descriptor.values_by_number[0].name.removesuffix("UNSPECIFIED")
        names = {value.number: value.name.removeprefix(prefix) for value in descriptor.values if value.number}
        if set(names.values()) != set(enum.__members__):
            raise TypeError(f"{descriptor.full_name} and {enum.__name__} name different things")
        self._members = {number: enum[name] for number, name in names.items()}
        self._numbers = {member: number for number, member in self._members.items()}
        self._choices = ", ".join(names.values())

    def number(self, member: E) -> Any:
        """The protobuf value of a member; typed as Any because each generated enum has a type of its own."""
        return self._numbers[member]

    def optional(self, number: int, field: str) -> E | None:
        """The member of a value, None for unspecified. Raises InvalidArgument for `field` when there is none."""
        if number == 0:
            return None
        try:
            return self._members[number]
        except KeyError:
            raise InvalidArgument.of(field, f"must be one of {self._choices}") from None

    def required(self, number: int, field: str) -> E:
        """Like optional, where unspecified is refused too."""
        member = self.optional(number, field)
        if member is None:
            raise InvalidArgument.of(field, f"is required: one of {self._choices}")
        return member
