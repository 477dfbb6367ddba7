"""The field mask that a JSON body means when nobody spells one out: exactly the fields that it names."""

from collections.abc import Iterator

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from gateway.codec.names import fields_by_name
from gateway.codec.wellknown import VALUES

MASK = "google.protobuf.FieldMask"


def paths_named(message: Descriptor, value: object) -> Iterator[str]:
    """The paths of a mask for a JSON object that the decoder has taken as this message, in the order of the object.

    A field that is null is named too: it is to be emptied. A message with fields is named field by field, one that
    stands for a value of its own (a date, a list, a map) as a whole.
    """
    if not isinstance(value, dict):
        return
    fields = fields_by_name(message)
    for name, item in value.items():
        field = fields[name]
        inner = field.message_type
        if inner is not None and isinstance(item, dict) and item and _is_plain(field, inner):
            yield from (f"{field.name}.{path}" for path in paths_named(inner, item))
        else:
            yield field.name


def _is_plain(field: FieldDescriptor, inner: Descriptor) -> bool:
    """Whether the field holds one message whose JSON is the object of its fields."""
    return not field.is_repeated and inner.full_name not in VALUES
