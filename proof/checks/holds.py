"""Holds: confirmed while they last and never afterwards."""

from collections.abc import Iterator
from datetime import timedelta

from proof.checks.case import Case, instant, named
from proof.evidence import Row
from proof.history import FAIL

# How far apart the clock of the database and that of a client of the same machine may be read.
_SKEW_SECONDS = 0.05


def holds(case: Case) -> Iterator[str]:
    """A hold lasts as long as the clinic says, not past its visit, and is confirmed while it lasts and never later."""
    for history in case.events_of.values():
        for event in history:
            if event["before"] is None and event["after"]["status"] == "HELD":
                yield from _too_long(case, event)
            elif event["before"] is not None and event["before"]["status"] == "HELD":
                yield from _too_late(case, event)
    yield from _refused_in_time(case)


def _too_long(case: Case, event: Row) -> Iterator[str]:
    longest = event["time"] + timedelta(seconds=case.history.rules["hold_seconds"])
    if instant(event["after"]["hold_expire_time"]) > min(longest, instant(event["after"]["start_time"])):
        yield f"{named(event)} keeps its time until {event['after']['hold_expire_time']}"


def _too_late(case: Case, event: Row) -> Iterator[str]:
    """Judged by the event and by the client's own clock, so that a service with a wrong one is found as well."""
    if event["kind"] not in ("CONFIRMED", "PENDING"):
        return
    operation = case.operation_of.get(event["trace"])
    latest = instant(event["before"]["hold_expire_time"]).timestamp() + _SKEW_SECONDS
    if event["time"].timestamp() > latest or (operation is not None and operation.invoked > latest):
        yield f"{named(event)} confirmed a hold that had run out"


def _refused_in_time(case: Case) -> Iterator[str]:
    for operation in case.history.operations.values():
        if operation.outcome != FAIL or operation.reason != "HOLD_EXPIRED":
            continue
        history = case.events_of.get(operation.intent["id"], [])
        ends = [instant(event["after"]["hold_expire_time"]) for event in history if event["after"]["status"] == "HELD"]
        if ends and operation.ended < min(ends).timestamp() - _SKEW_SECONDS:
            yield f"{operation} came in time"
