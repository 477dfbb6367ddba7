"""JSON values into messages, by closures made once per message type. Strict: what is not understood is refused."""

from collections.abc import Callable
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from gateway.codec import scalars
from gateway.codec.errors import BadValue
from gateway.codec.json_text import TwiceGiven
from gateway.codec.names import exclusion_key, fields_by_name, not_a_field
from gateway.codec.wellknown import FORMS, UNSUPPORTED, WRAPPERS

# All change the message or map that they are given, from a JSON value: the whole, one field, one entry.
Fill = Callable[[Any, object], None]
SetField = Callable[[Any, object], None]
SetEntry = Callable[[Any, object, object], None]
_VALUE = "google.protobuf.Value"


class Decoder:
    """Makes the decoders, and keeps them, so that a message type is looked at once."""

    def __init__(self) -> None:
        self._made: dict[str, Fill] = {}

    def of(self, message: Descriptor) -> Fill:
        """The function that fills an empty message of this type; it raises BadValue, which says where.

        Names may be snake_case, camelCase or the json_name; null means absent. Raises ValueError for a type that
        JSON cannot carry.
        """
        name = message.full_name
        if name in UNSUPPORTED:
            raise ValueError(f"{name} cannot be part of a JSON request")
        if name in FORMS:
            return FORMS[name].read
        if name in WRAPPERS:
            return _scalar(message.fields_by_name["value"])
        return self._made.get(name) or self._object(message)

    def of_field(self, field: FieldDescriptor) -> SetField:
        """The function that sets one field of a message from its JSON value; it raises BadValue, which says where."""
        return self._field(field)

    def _object(self, message: Descriptor) -> Fill:
        setters: dict[str, tuple[str, SetField, bool]] = {}

        def fill(target: Any, value: object) -> None:
            if not isinstance(value, dict):
                raise BadValue("must be an object")
            if isinstance(value, TwiceGiven):
                raise BadValue("is given twice").inside(value.key)
            seen: set[str] = set()
            for name, item in value.items():
                try:
                    only_once, set_field, takes_null = setters[name]
                except KeyError:
                    raise BadValue(not_a_field(message)).inside(name) from None
                if item is None and not takes_null:
                    continue
                if only_once in seen:
                    raise BadValue("is given twice, or next to a field that excludes it").inside(name)
                seen.add(only_once)
                try:
                    set_field(target, item)
                except BadValue as error:
                    raise error.inside(name) from None

        # Known before its fields are, so that a message may hold itself.
        self._made[message.full_name] = fill
        for name, field in fields_by_name(message).items():
            setters[name] = exclusion_key(field), self._field(field), _takes_null(field)
        return fill

    def _field(self, field: FieldDescriptor) -> SetField:
        message = field.message_type
        if message is None:
            return _repeated_scalar(field) if field.is_repeated else _scalar(field)
        if message.GetOptions().map_entry:
            return _map(field.name, scalars.text_reader(message.fields_by_name["key"]), self._entry(message))
        fill = self.of(message)
        return _repeated_message(field.name, fill) if field.is_repeated else _message(field.name, fill)

    def _entry(self, entry: Descriptor) -> SetEntry:
        """What puts one value under a key of a map."""
        value = entry.fields_by_name["value"]
        if value.message_type is not None:
            fill = self.of(value.message_type)
            return lambda entries, key, item: fill(entries[key], item)
        read = scalars.reader(value)
        return lambda entries, key, item: entries.__setitem__(key, read(item))


def _map(name: str, read_key: scalars.ReadText, put: SetEntry) -> SetField:
    def set_field(target: Any, items: object) -> None:
        if not isinstance(items, dict):
            raise BadValue("must be an object")
        if isinstance(items, TwiceGiven):
            raise BadValue("is given twice").inside(items.key)
        entries = getattr(target, name)
        for key, item in items.items():
            try:
                put(entries, read_key(key), item)
            except BadValue as error:
                raise error.inside(key) from None

    return set_field


def _takes_null(field: FieldDescriptor) -> bool:
    """Whether null is a value of the field and not its absence."""
    return field.message_type is not None and field.message_type.full_name == _VALUE and not field.is_repeated


def _scalar(field: FieldDescriptor) -> SetField:
    name, read = field.name, scalars.reader(field)

    def set_field(target: Any, value: object) -> None:
        setattr(target, name, read(value))

    return set_field


def _message(name: str, fill: Fill) -> SetField:
    def set_field(target: Any, value: object) -> None:
        child = getattr(target, name)
        # An empty object is a message that is there.
        child.SetInParent()
        fill(child, value)

    return set_field


def _repeated_scalar(field: FieldDescriptor) -> SetField:
    name, read = field.name, scalars.reader(field)
    return lambda target, value: _each(value, lambda item: getattr(target, name).append(read(item)))


def _repeated_message(name: str, fill: Fill) -> SetField:
    return lambda target, value: _each(value, lambda item: fill(getattr(target, name).add(), item))


def _each(values: object, take: Callable[[object], None]) -> None:
    if not isinstance(values, list):
        raise BadValue("must be a list")
    for index, item in enumerate(values):
        try:
            take(item)
        except BadValue as error:
            raise error.inside(index) from None
