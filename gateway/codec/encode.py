"""Messages to JSON values, by functions whose source is written once per message type from its descriptor.

Straight lines cost two thirds of a loop over fields that looks up what to do with each, and most of a large answer is
this. The source holds names of the contract and nothing of any message.
"""

from collections.abc import Callable
from keyword import iskeyword
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from gateway.codec import scalars
from gateway.codec.wellknown import FORMS, UNSUPPORTED, WRAPPERS

Encode = Callable[[Any], Any]


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
        scope: dict[str, Any] = {}
        value = self._value(field, scope)
        absent = f"None if not message.HasField({field.name!r}) else " if field.has_presence else ""
        return _compiled([f"return {absent}{value}"], scope)

    def _object(self, message: Descriptor) -> Encode:
        scope: dict[str, Any] = {}

        def encode_later(value: Any) -> Any:
            return scope["encode"](value)

        # Known before its fields are, so that a message may hold itself.
        self._made[message.full_name] = encode_later
        always: list[str] = []
        lines: list[str] = []
        for field in message.fields:
            value = self._value(field, scope)
            if field.has_presence:
                lines.append(f"if message.HasField({field.name!r}): out[{field.name!r}] = {value}")
            elif lines:
                lines.append(f"out[{field.name!r}] = {value}")
            else:
                always.append(f"{field.name!r}: {value}")
        encode = _compiled([f"out = {{{', '.join(always)}}}", *lines, "return out"], scope)
        self._made[message.full_name] = encode
        return encode

    def _value(self, field: FieldDescriptor, scope: dict[str, Any]) -> str:
        """The expression for the JSON of a field of `message`; what it calls is put into the scope."""
        value = f"getattr(message, {field.name!r})" if iskeyword(field.name) else f"message.{field.name}"
        entry = field.message_type if field.message_type and field.message_type.GetOptions().map_entry else None
        shown = entry.fields_by_name["value"] if entry else field
        convert = self.of(shown.message_type) if shown.message_type else scalars.writer(shown)
        item, name = "item", f"convert_{field.number}"
        if convert is not None:
            scope[name] = convert
            item = f"{name}(item)"
        if entry is not None:
            scope["key_of"] = _key
            return f"{{key_of(key): {item} for key, item in {value}.items()}}"
        if field.is_repeated:
            return f"[{item} for item in {value}]" if convert else f"list({value})"
        return f"{name}({value})" if convert else value


def _compiled(lines: list[str], scope: dict[str, Any]) -> Encode:
    source = "def encode(message):\n" + "".join(f"    {line}\n" for line in lines)
    exec(source, scope)  # noqa: S102 - written above, of names that the compiler of protos lets through
    encode: Encode = scope["encode"]
    return encode


def _key(key: object) -> str:
    return str(key).lower() if type(key) is bool else str(key)
