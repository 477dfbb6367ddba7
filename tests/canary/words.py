"""Requests with one word of ours in one field, for every text field of a contract; a new RPC is taken in by itself."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from google.api import field_behavior_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from gateway.openapi.samples import Samples

_DEEPEST = 4
Path = tuple[FieldDescriptor, ...]


@dataclass
class Words:
    """Makes words that all hold the mark, each for one place, so that a find tells where it came from."""

    mark: str
    places: list[str] = field(default_factory=list)

    def fresh(self, place: str) -> str:
        self.places.append(place)
        return f"{self.mark}x{len(self.places) - 1}x"

    def place_of(self, found: str) -> str:
        number = found.lower().partition(f"{self.mark}x")[2].partition("x")[0]
        return self.places[int(number)] if number.isdecimal() else "somewhere"


def text_fields(message: Descriptor, before: Path = ()) -> Iterator[Path]:
    """The way to each text field that a caller may fill."""
    for one in message.fields:
        path = (*before, one)
        if field_behavior_pb2.OUTPUT_ONLY in one.GetOptions().Extensions[field_behavior_pb2.field_behavior]:
            continue
        if one.type == one.TYPE_STRING:
            yield path
        elif one.message_type is not None and _is_worth_entering(one.message_type, path):
            yield from text_fields(one.message_type, path)


def _is_worth_entering(message: Descriptor, path: Path) -> bool:
    around = {step.message_type for step in path[:-1]}
    return len(path) < _DEEPEST and message not in around and not message.full_name.startswith("google.")


def good_request(message: Descriptor, known: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """A request of which as much as possible is right: examples, and ids of things that are there."""
    said = Samples("telemed").request(message)
    _put_known(said, known)
    return said


def _put_known(said: Any, known: Mapping[str, Sequence[Any]]) -> None:
    if isinstance(said, list):
        for inner in said:
            _put_known(inner, known)
    if isinstance(said, dict):
        for name, value in said.items():
            if name in known and isinstance(value, type(known[name][0])):
                said[name] = known[name][0]
            else:
                _put_known(value, known)


def with_word(request: dict[str, Any], path: Path, word: str) -> dict[str, Any]:
    """The request with a word at the end of a path; what may not stand beside it is taken out."""
    changed = copy.deepcopy(request)
    here: dict[str, Any] = changed
    for step in path:
        for rival in step.containing_oneof.fields if step.containing_oneof else ():
            if rival.name != step.name:
                here.pop(rival.name, None)
        if step is path[-1]:
            here[step.name] = [word] if step.is_repeated else word
        elif step.is_repeated:
            inner: list[dict[str, Any]] = here.setdefault(step.name, [{}])
            here = inner[0]
        else:
            here = here.setdefault(step.name, {})
    return changed


def name_of(path: Path) -> str:
    return ".".join(step.name for step in path)
