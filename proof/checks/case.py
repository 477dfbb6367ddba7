"""A case to be judged: the history and the evidence, with what every check looks up in them."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from proof.evidence import Evidence, Row
from proof.history import History, Operation

# The states that keep the doctor's and the patient's time, as design and contract have them.
OCCUPYING = frozenset({"HELD", "PENDING", "CONFIRMED", "IN_PROGRESS"})
_WORD = re.compile(r"(?<!^)([A-Z])")


@dataclass(frozen=True)
class Case:
    """What the checks judge."""

    history: History
    evidence: Evidence

    @cached_property
    def events_of(self) -> Mapping[str, list[Row]]:
        """The events of each appointment by its id, in the order of their versions."""
        found = defaultdict(list)
        for event in sorted(self.evidence.events, key=lambda event: event["version"]):
            found[event["id"]].append(event)
        return found

    @cached_property
    def effects_of(self) -> Mapping[str, list[Row]]:
        """The events that each trace made of its own will: that a hold in its way ran out is not its doing."""
        found = defaultdict(list)
        for event in self.evidence.events:
            if event["role"] != THE_CLOCK:
                found[event["trace"]].append(event)
        return found

    @cached_property
    def operation_of(self) -> Mapping[str, Operation]:
        """The operations by their trace ids."""
        return {operation.trace: operation for operation in self.history.operations.values()}


# The role under which things happen that time alone brings about; clients of a run have others.
THE_CLOCK = "service"

Judge = Callable[[Case], Iterator[str]]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold. `judge` yields a sentence for every way in which it does not."""

    name: str
    claim: str
    judge: Judge


def kind_of(name: str) -> str:
    """A kind of visit by its name in the contract: FOLLOW_UP for the database's FollowUp."""
    return _WORD.sub(r"_\1", name).upper()


def instant(value: Any) -> datetime:
    """An instant from a column, a snapshot or the history."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def named(event: Row) -> str:
    """An event in a sentence."""
    return f"event {event['event_id']} ({event['kind']} of {event['id']}, version {event['version']})"
