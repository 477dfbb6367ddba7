"""The history: what each client meant to do and what it was told, one JSON line each, flushed before going on.

`at` is always the clinic's clock in seconds since 1970, read by whoever writes the line.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

OK, FAIL, UNKNOWN = "ok", "fail", "unknown"

Facts = Mapping[str, Any]


class Recorder:
    """Writes a history."""

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        """`clock` tells the clinic's time in seconds since 1970."""
        self._file = path.open("x", encoding="utf-8")
        self._clock = clock
        self.operations = 0

    def write(self, kind: str, **facts: object) -> float:
        """Adds a line and tells its time. It has left this process when this returns."""
        now = self._clock()
        self._file.write(json.dumps({"type": kind, "at": round(now, 6), **facts}) + "\n")
        self._file.flush()
        return now

    def now(self) -> float:
        """The clinic's time."""
        return self._clock()

    def next_operation(self) -> int:
        """The number of a new operation, from 1."""
        self.operations += 1
        return self.operations

    def close(self) -> None:
        """No more lines."""
        self._file.close()


@dataclass(frozen=True, slots=True)
class Repeat:
    """The same request sent again with the same key: after the first answer was given or, a twin, at the same time."""

    outcome: str
    reason: str
    answer: str
    is_twin: bool


@dataclass(slots=True)
class Operation:
    """One thing that a client meant to happen once, under one request_id and one trace id."""

    number: int
    client: int
    verb: str
    caller: str
    key: str
    trace: str
    intent: Facts
    invoked: float
    ended: float = float("inf")
    outcome: str = UNKNOWN
    reason: str = "the history ends here"
    result: Facts = field(default_factory=dict)
    answer: str = ""
    was_unknown: bool = False
    attempts: list[str] = field(default_factory=list)
    repeats: list[Repeat] = field(default_factory=list)

    def end(self, line: Facts) -> None:
        """Takes what the client was told at last; an unknown that is asked again later ends a second time."""
        self.ended = line["at"]
        self.outcome = line["type"]
        self.was_unknown = self.was_unknown or self.outcome == UNKNOWN
        self.reason = line.get("reason", "")
        self.result = line.get("result", {})
        self.answer = line.get("answer", "")

    def __str__(self) -> str:
        told = self.reason or self.result
        return (
            f"operation {self.number} ({self.verb} {dict(self.intent)} by client {self.client}: {self.outcome} {told})"
        )


@dataclass(frozen=True, slots=True)
class Sighting:
    """One change as a consumer of the feed was shown it."""

    revision: int
    appointment_id: str
    version: int
    status: str
    start: str


@dataclass(slots=True)
class History:
    """A whole history, read back."""

    rules: Facts = field(default_factory=dict)
    doctors: dict[str, Facts] = field(default_factory=dict)
    operations: dict[int, Operation] = field(default_factory=dict)
    sightings: list[Sighting] = field(default_factory=list)
    reads: list[Facts] = field(default_factory=list)
    faults: list[Facts] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> Self:
        """The history in a file."""
        history = cls()
        with path.open(encoding="utf-8") as lines:
            for text in lines:
                history.take(json.loads(text))
        return history

    def take(self, line: Facts) -> None:
        """Adds one line. Raises KeyError for a type that this reader does not know."""
        _READERS[line["type"]](self, line)

    def counts(self) -> dict[str, int]:
        """How many operations ended in each way."""
        found = dict.fromkeys((OK, FAIL, UNKNOWN), 0)
        for operation in self.operations.values():
            found[operation.outcome] += 1
        return found


def _rules(history: History, line: Facts) -> None:
    history.rules = line


def _doctor(history: History, line: Facts) -> None:
    history.doctors[line["id"]] = line


def _invoke(history: History, line: Facts) -> None:
    history.operations[line["op"]] = Operation(
        number=line["op"],
        client=line["client"],
        verb=line["verb"],
        caller=line["caller"],
        key=line["key"],
        trace=line["trace"],
        intent=line["intent"],
        invoked=line["at"],
    )


def _attempt(history: History, line: Facts) -> None:
    history.operations[line["op"]].attempts.append(line["answered"])


def _end(history: History, line: Facts) -> None:
    history.operations[line["op"]].end(line)


def _repeat(history: History, line: Facts) -> None:
    repeat = Repeat(line["outcome"], line["reason"], line["answer"], line["twin"])
    history.operations[line["op"]].repeats.append(repeat)


def _seen(history: History, line: Facts) -> None:
    sighting = Sighting(line["revision"], line["appointment"], line["version"], line["status"], line["start"])
    history.sightings.append(sighting)


def _read(history: History, line: Facts) -> None:
    history.reads.append(line)


def _fault(history: History, line: Facts) -> None:
    history.faults.append(line)


_READERS: Mapping[str, Callable[[History, Facts], None]] = {
    "rules": _rules,
    "doctor": _doctor,
    "invoke": _invoke,
    "attempt": _attempt,
    OK: _end,
    FAIL: _end,
    UNKNOWN: _end,
    "repeat": _repeat,
    "seen": _seen,
    "read": _read,
    "fault": _fault,
}
