"""Fields of a request from the text of its URL and headers: dotted names, repeated names, scalars and times."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from gateway.codec import scalars
from gateway.codec.errors import BadValue
from gateway.codec.names import exclusion_key, fields_by_name, not_a_field
from gateway.codec.wellknown import FORMS, WRAPPERS


@dataclass(frozen=True)
class TextField:
    """One field of a request, found by a dotted path, that can be set from text."""

    name: str
    parents: tuple[FieldDescriptor, ...]
    field: FieldDescriptor

    @classmethod
    def find(cls, message: Descriptor, name: str) -> "TextField":
        """The field that a dotted name such as `filter.from_time` leads to.

        Raises BadValue, which says where, when there is none or text cannot say its value.
        """
        *outer, last = name.split(".")
        parents = []
        for step in outer:
            parent = fields_by_name(message).get(step)
            if parent is None:
                raise BadValue(not_a_field(message)).inside(name)
            if parent.message_type is None or parent.is_repeated:
                raise BadValue("is not a field: what stands before the dot has none").inside(name)
            parents.append(parent)
            message = parent.message_type
        field = fields_by_name(message).get(last)
        if field is None:
            raise BadValue(not_a_field(message)).inside(name)
        if _reader(field) is None:
            raise BadValue("is not a field that text can say: send it in a body").inside(name)
        return cls(name, tuple(parents), field)

    @cached_property
    def steps(self) -> tuple[str, ...]:
        """The names that lead to the field, as the contract writes them."""
        return (*(parent.name for parent in self.parents), self.field.name)

    @cached_property
    def only_once(self) -> str:
        """What can be said once in a request, however it is written: the field, or the oneof that it is a choice of."""
        return ".".join((*self.steps[:-1], exclusion_key(self.field)))

    def put(self, request: Message, texts: Sequence[str]) -> None:
        """Sets the field from one text, or from several when it is repeated. Raises BadValue, which says where."""
        read = _reader(self.field)
        if read is None or (len(texts) != 1 and not self.field.is_repeated):
            raise BadValue("is given twice").inside(self.name)
        target: Any = request
        for parent in self.parents:
            target = getattr(target, parent.name)
        try:
            for text in texts:
                read(target, text)
        except BadValue as error:
            raise error.inside(self.name) from None

    def put_once(self, request: Message, text: str, description: str) -> None:
        """Sets the field from text; when the request says something else already, raises BadValue(description)."""
        if self._is_set(request):
            wanted = type(request)()
            self.put(wanted, [text])
            if self._value(request) != self._value(wanted):
                raise BadValue(description).inside(self.name)
        self.put(request, [text])

    def _is_set(self, request: Message) -> bool:
        """Whether the request holds the field, or another of its oneof, as far as a value can tell."""
        target: Any = request
        for parent in self.parents:
            target = getattr(target, parent.name)
        if self.field.containing_oneof is not None:
            return target.WhichOneof(self.field.containing_oneof.name) is not None
        return bool(target.HasField(self.field.name) if self.field.has_presence else getattr(target, self.field.name))

    def _value(self, request: Message) -> object:
        target: Any = request
        for step in (*self.parents, self.field):
            target = getattr(target, step.name)
        return target


@cache
def _reader(field: FieldDescriptor) -> Callable[[Any, str], None] | None:
    """What sets, or appends to, the field of a message from text; None when no text can say the value."""
    name = field.name
    if field.message_type is None:
        read = scalars.text_reader(field)
        if field.is_repeated:
            return lambda target, text: getattr(target, name).append(read(text))
        return lambda target, text: setattr(target, name, read(text))
    fill = _message_reader(field.message_type)
    if fill is None:
        return None
    if field.is_repeated:
        return lambda target, text: fill(getattr(target, name).add(), text)
    return lambda target, text: fill(_present(target, name), text)


def _message_reader(message: Descriptor) -> Callable[[Any, str], None] | None:
    if message.full_name in WRAPPERS:
        read = scalars.text_reader(message.fields_by_name["value"])
        return lambda target, text: setattr(target, "value", read(text))
    form = FORMS.get(message.full_name)
    return form.read if form is not None and form.is_text else None


def _present(target: Any, name: str) -> Any:
    child = getattr(target, name)
    child.SetInParent()
    return child
