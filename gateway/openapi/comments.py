"""What the contract says about itself: the comments above its services, RPCs, messages, fields and enum values."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)

# Written beside the generated code: that itself carries no comments.
_FILE = "contract.binpb"
# Numbers of the fields that descriptor.proto nests its elements by.
_MESSAGES, _ENUMS, _SERVICES = 4, 5, 6
_FIELDS, _NESTED, _INNER_ENUMS = 2, 3, 4
_VALUES = _METHODS = 2
_Path = tuple[int, ...]


@cache
def comments_of(package: str) -> Mapping[str, str]:
    """The comment above each element of the installed contracts below a package, by its full name."""
    found: dict[str, str] = {}
    for root in map(Path, import_module(package).__path__):
        contracts = FileDescriptorSet.FromString((root / _FILE).read_bytes())
        for contract in contracts.file:
            found |= _of_file(contract)
    return found


def _of_file(contract: FileDescriptorProto) -> dict[str, str]:
    written = {
        tuple(place.path): " ".join(place.leading_comments.split()) for place in contract.source_code_info.location
    }
    return {name: written[path] for name, path in _elements(contract) if written.get(path)}


def _elements(contract: FileDescriptorProto) -> Iterator[tuple[str, _Path]]:
    package = contract.package
    for index, message in enumerate(contract.message_type):
        yield from _in_message(message, f"{package}.{message.name}", (_MESSAGES, index))
    for index, enum in enumerate(contract.enum_type):
        yield from _in_enum(enum, f"{package}.{enum.name}", (_ENUMS, index))
    for index, service in enumerate(contract.service):
        name, path = f"{package}.{service.name}", (_SERVICES, index)
        yield name, path
        for number, method in enumerate(service.method):
            yield f"{name}.{method.name}", (*path, _METHODS, number)


def _in_message(message: DescriptorProto, name: str, path: _Path) -> Iterator[tuple[str, _Path]]:
    yield name, path
    for index, field in enumerate(message.field):
        yield f"{name}.{field.name}", (*path, _FIELDS, index)
    for index, inner in enumerate(message.nested_type):
        yield from _in_message(inner, f"{name}.{inner.name}", (*path, _NESTED, index))
    for index, enum in enumerate(message.enum_type):
        yield from _in_enum(enum, f"{name}.{enum.name}", (*path, _INNER_ENUMS, index))


def _in_enum(enum: EnumDescriptorProto, name: str, path: _Path) -> Iterator[tuple[str, _Path]]:
    yield name, path
    for index, value in enumerate(enum.value):
        yield f"{name}.{value.name}", (*path, _VALUES, index)
