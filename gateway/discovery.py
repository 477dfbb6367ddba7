"""Finds the contracts that are installed, so that a new service needs no line of code here."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from google.protobuf.descriptor import FileDescriptor, ServiceDescriptor


def installed_services(package: str) -> list[ServiceDescriptor]:
    """Every service in the generated modules of a package and its sub-packages, by name.

    All modules are imported, those without a service too: they define the messages that errors may carry.
    """
    services: dict[str, ServiceDescriptor] = {}
    for contract in _contracts(package):
        services |= {service.full_name: service for service in contract.services_by_name.values()}
    return [services[name] for name in sorted(services)]


def _contracts(package: str) -> Iterator[FileDescriptor]:
    # The packages of generated code have no __init__.py, which pkgutil would need to look into them.
    for root in map(Path, import_module(package).__path__):
        for file in sorted(root.rglob("*_pb2.py")):
            parts = file.relative_to(root).with_suffix("").parts
            yield import_module(".".join((package, *parts))).DESCRIPTOR
