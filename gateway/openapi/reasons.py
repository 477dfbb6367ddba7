"""Why an operation may be refused: the reasons that its comment names, those of its form, and those of all of them."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TypeAlias

from gateway.openapi.comments import comments_of
from gateway.routes import Binding
from gateway.transcode import etag_field

# Written beside the generated code, out of the page that people read.
_FILE = "errors.json"
_WORD = re.compile(r"\b[A-Z][A-Z_]+\b")
_LIKE = re.compile(r"\b(?:those of|as) ([A-Z]\w+)")

# HTTP status → reasons, in the order in which they are told.
ByStatus: TypeAlias = dict[int, list[str]]

OF_ALL = (
    "INVALID_ARGUMENT",
    "UNAUTHENTICATED",
    "PERMISSION_DENIED",
    "BREAK_GLASS_REFUSED",
    "BREAK_GLASS_UNEXPLAINED",
    "ROUTE_NOT_FOUND",
    "RATE_LIMITED",
    "OVERLOADED",
    "HEADERS_TOO_LARGE",
    "INTERNAL",
    "UNAVAILABLE",
    "TOO_MANY_CONNECTIONS",
    "DEADLINE_EXCEEDED",
    "DEADLINE_TOO_SHORT",
)
_WITH_BODY = ("REQUEST_TIMEOUT", "BODY_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE")
_OF_CHANGES = ("CONTENTION",)


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason of the closed list, with the HTTP status that it comes with."""

    name: str
    status: int
    meaning: str


@cache
def reasons_of(package: str) -> Mapping[str, Reason]:
    """Every reason that there is, by its name, as the contracts installed below a package have it."""
    found: dict[str, Reason] = {}
    for root in map(Path, import_module(package).__path__):
        for name, told in json.loads((root / _FILE).read_text()).items():
            found[name] = Reason(name, told["status"], told["meaning"])
    return found


class Reasons:
    """Tells which reasons a binding may be refused for."""

    def __init__(self, package: str) -> None:
        self.known = reasons_of(package)
        self._comments = comments_of(package)

    def of(self, binding: Binding) -> ByStatus:
        """The reasons of one binding by status, those of its own first."""
        names = [*self._named(binding.method.full_name), *_of_form(binding), *OF_ALL]
        return self.by_status(names)

    def by_status(self, names: Iterable[str]) -> ByStatus:
        """Reasons sorted by their status, each once."""
        found: ByStatus = {}
        for name in dict.fromkeys(names):
            found.setdefault(self.known[name].status, []).append(name)
        return dict(sorted(found.items()))

    def _named(self, rpc: str) -> list[str]:
        """What the comment of an RPC lists behind "Errors:", there or by way of another RPC of the service."""
        _, _, listed = self._comments.get(rpc, "").partition("Errors:")
        service = rpc.rpartition(".")[0]
        alike = [name for other in _LIKE.findall(listed) for name in self._named(f"{service}.{other}")]
        return [*(word for word in _WORD.findall(listed) if word in self.known), *alike]


def _of_form(binding: Binding) -> list[str]:
    fields = binding.method.input_type.fields_by_name
    return [
        *(_WITH_BODY if binding.body else ()),
        *(_OF_CHANGES if binding.verb != "GET" else ()),
        *(["IDEMPOTENCY_KEY_REUSED"] if "request_id" in fields else ()),
        *(["ETAG_MISMATCH"] if etag_field(binding) is not None else ()),
    ]
