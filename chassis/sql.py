"""Named queries: SQL lives in .sql files, each statement under a line that names it."""

import re
from dataclasses import dataclass
from pathlib import Path

_HEADER = re.compile(r"^-- name: ([a-z_]+)\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Query:
    """One statement; its name is what traces and metrics call it."""

    name: str
    text: str


class Queries:
    """The statements of one file, by name. A missing name is a KeyError when the process starts, not later."""

    def __init__(self, path: Path) -> None:
        parts = _HEADER.split(path.read_text())
        self._queries = {name: Query(name, text.strip()) for name, text in zip(parts[1::2], parts[2::2], strict=True)}

    def __getitem__(self, name: str) -> Query:
        return self._queries[name]

    def __iter__(self):  # type: ignore[no-untyped-def]  # noqa: ANN204 - Iterator[Query], for tests that walk them
        return iter(self._queries.values())
