"""Messages to JSON values, by closures made once per message type."""

from collections.abc import Callable
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from gateway.codec import scalars
from gateway.codec.wellknown import FORMS, UNSUPPORTED, WRAPPERS

Encode = Callable[[Any], Any]
# Name, whether it is left out when absent, and the closure for its value (None: JSON takes the value as it is).
_Field = tuple[str, bool, Encode | None]


class Encoder:
    """Makes the encoders, and keeps them, so that a message type is looked at once."""

    def __init__(self) -> None:
        self._made: dict[str, Encode] = {}

    def of(self, message: Descriptor) -> Encode:
        """The function from a message of this type to what orjson dumps.

        Names are snake_case. A field without presence is always written, one with presence when it is there.
        Raises ValueError for a type that JSON cannot carry.
        """
        name = message.full_name
        if name in UNSUPPORTED:
            raise ValueError(f"{name} cannot be part of a JSON answer")
        if name in FORMS:
            return FORMS[name].write
        if name in WRAPPERS:
            convert = scalars.writer(message.fields_by_name["value"])
            return (lambda wrapper: convert(wrapper.value)) if convert else (lambda wrapper: wrapper.value)
        return self._made.get(name) or self._object(message)

    def of_field(self, field: FieldDescriptor) -> Encode:
        """The function from a message to the JSON of this field of it; null when the field is not there."""
        name, is_optional, convert = field.name, field.has_presence, self._field(field)

        def encode(message: Any) -> Any:
            if is_optional and not message.HasField(name):
                return None
            value = getattr(message, name)
            return value if convert is None else convert(value)

        return encode

    def _object(self, message: Descriptor) -> Encode:
        fields: list[_Field] = []

        def encode(value: Any) -> dict[str, Any]:
            out: dict[str, Any] = {}
            for name, is_optional, convert in fields:
                if is_optional and not value.HasField(name):
                    continue
                item = getattr(value, name)
                out[name] = item if convert is None else convert(item)
            return out

        # Known before its fields are, so that a message may hold itself.
        self._made[message.full_name] = encode
        fields += [(field.name, field.has_presence, self._field(field)) for field in message.fields]
        return encode

    def _field(self, field: FieldDescriptor) -> Encode | None:
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            return self._map(field.message_type)
        convert = self._single(field)
        if not field.is_repeated:
            return convert
        return list if convert is None else (lambda items: [convert(item) for item in items])

    def _single(self, field: FieldDescriptor) -> Encode | None:
        return scalars.writer(field) if field.message_type is None else self.of(field.message_type)

    def _map(self, entry: Descriptor) -> Encode:
        convert = self._single(entry.fields_by_name["value"])
        if convert is None:
            return lambda items: {_key(key): item for key, item in items.items()}
        return lambda items: {_key(key): convert(item) for key, item in items.items()}


def _key(key: object) -> str:
    return str(key).lower() if type(key) is bool else str(key)
