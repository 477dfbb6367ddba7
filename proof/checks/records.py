"""The records: an event for every version, the states in their order, the feed without a gap, the copies exact."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import timedelta
from math import isclose
from statistics import fmean
from typing import Any

from proof.checks.case import Case, instant, named
from proof.evidence import Row

# Which state may follow which; None stands for the beginning. Changes that keep the state are named below.
_NEXT: Mapping[str | None, frozenset[str]] = {
    None: frozenset({"HELD", "PENDING", "CONFIRMED"}),
    "HELD": frozenset({"CONFIRMED", "PENDING", "EXPIRED", "CANCELLED"}),
    "PENDING": frozenset({"CONFIRMED", "CANCELLED"}),
    "CONFIRMED": frozenset({"IN_PROGRESS", "CANCELLED", "NO_SHOW"}),
    "IN_PROGRESS": frozenset({"COMPLETED", "CANCELLED"}),
}
# Changes that keep the state, and the states in which they are allowed.
_STAYS: Mapping[str, frozenset[str]] = {
    "RESCHEDULED": frozenset({"HELD", "PENDING", "CONFIRMED"}),
    "RATED": frozenset({"COMPLETED"}),
}
_TOLD = frozenset(
    {"appointment_id", "patient_id", "doctor_id", "status", "kind", "start_time", "end_time", "buffer_minutes", "seat"}
)


def events(case: Case) -> Iterator[str]:
    """Every appointment has one event a version from 1 on, each begins where the last ended, the last is the row."""
    rows = {appointment["id"]: appointment for appointment in case.evidence.appointments}
    for missing in rows.keys() - case.events_of.keys():
        yield f"appointment {missing} has no event"
    for appointment_id, history in case.events_of.items():
        versions = [event["version"] for event in history]
        if versions != list(range(1, len(versions) + 1)):
            yield f"the events of {appointment_id} have the versions {versions}"
        before = None
        for event in history:
            if event["before"] != before:
                yield f"{named(event)} does not begin where the one before it ended"
            if not event["after"].keys() >= _TOLD or event["after"]["version"] != event["version"]:
                yield f"{named(event)} does not tell the appointment of that version"
            before = event["after"]
        if appointment_id not in rows:
            yield f"appointment {appointment_id} has events and no row"
        else:
            yield from _against_row(history[-1], rows[appointment_id])


def _against_row(event: Row, appointment: Row) -> Iterator[str]:
    row = appointment["row"]
    for name, value in event["after"].items():
        if name in row and row[name] != value:
            yield f"{named(event)} says {name} {value}, the appointment has {row[name]}"
    if appointment["version"] != event["version"]:
        yield f"{named(event)} is the last one, the appointment has version {appointment['version']}"


def lifecycle(case: Case) -> Iterator[str]:
    """States follow each other as the table has it, and a move changes no state."""
    for history in case.events_of.values():
        state: str | None = None
        for event in history:
            after = event["after"]["status"]
            stays = event["kind"] in _STAYS
            allowed = after == state and after in _STAYS[event["kind"]] if stays else after in _NEXT.get(state, ())
            if not allowed:
                yield f"{named(event)} leads from {state} to {after}"
            state = after


def feed(case: Case) -> Iterator[str]:
    """The feed numbers every event, once, from 1 on without a gap, and each appointment's in the order of versions."""
    numbers = [row["revision"] for row in case.evidence.feed]
    if numbers != list(range(1, len(numbers) + 1)):
        gaps = sorted(set(range(1, max(numbers, default=0) + 1)) - set(numbers))
        yield f"the feed has {len(numbers)} numbers up to {max(numbers, default=0)}; missing are {gaps[:10]}"
    head = case.evidence.feed_head
    if head["revision"] != max(numbers, default=0) or head["pending"]:
        yield f"the feed ends at {max(numbers, default=0)}, its head says {head['revision']}, {head['pending']} wait"
    times = Counter(row["event_id"] for row in case.evidence.feed)
    reached: dict[str, int] = {}
    for event in case.evidence.events:  # in the order of the feed
        if times[event["event_id"]] != 1:
            yield f"{named(event)} is in the feed {times[event['event_id']]} times"
        if event["version"] <= reached.get(event["id"], 0):
            yield f"{named(event)} comes after version {reached[event['id']]}"
        reached[event["id"]] = max(reached.get(event["id"], 0), event["version"])


def watcher(case: Case) -> Iterator[str]:
    """A consumer that resumes after every break is shown every change, in order, as it was stored."""
    stored = {event["revision"]: event for event in case.evidence.events}
    last = 0
    for sighting in case.history.sightings:
        if sighting.revision > last + 1:
            yield f"the consumer was shown {sighting.revision} after {last}"
        last = max(last, sighting.revision)
        event = stored.get(sighting.revision)
        if event is None:
            yield f"the consumer was shown {sighting.revision}, which is not in the feed"
            continue
        seen = (sighting.appointment_id, sighting.version, sighting.status, instant(sighting.start))
        after = event["after"]
        if seen != (event["id"], event["version"], after["status"], instant(after["start_time"])):
            yield f"the consumer was shown {seen} as {sighting.revision}, which is {named(event)}"
    if last < case.evidence.feed_head["revision"]:
        yield f"the consumer was shown changes up to {last}, the feed ends at {case.evidence.feed_head['revision']}"


def copies(case: Case) -> Iterator[str]:
    """What the doctor service and the video service copied is what the ledger has, to the last change."""
    ledger = case.evidence.appointments
    wanted = {
        (
            *(a["id"], a["doctor"], a["patient"], a["kind"], a["status"], a["start"], a["until"]),
            *(_occupied_until(a), a["seat"], a["version"]),
        )
        for a in ledger
    }
    found = {
        (
            *(v["id"], v["doctor"], v["patient"], v["kind"], v["status"], v["start"], v["until"]),
            *(v["occupied_until"], v["seat"], v["version"]),
        )
        for v in case.evidence.doctor_copy
    }
    yield from _compared("doctor service", wanted, found)
    of_video = {(a["id"], a["doctor"], a["patient"], a["status"], a["start"], a["until"], a["version"]) for a in ledger}
    kept = {
        (s["id"], s["doctor"], s["patient"], s["status"], s["start"], s["until"], s["version"])
        for s in case.evidence.video_copy
    }
    yield from _compared("video service", of_video, kept)
    yield from _ratings(case)
    head = case.evidence.feed_head["revision"]
    for service, cursor in (("doctor", case.evidence.doctor_cursor), ("video", case.evidence.video_cursor)):
        if cursor != head:
            yield f"the {service} service has read up to {cursor}, the feed ends at {head}"


def _ratings(case: Case) -> Iterator[str]:
    """A doctor's rating is the mean of what their visits were given, each counted once."""
    given = defaultdict(list)
    for appointment in case.evidence.appointments:
        if appointment["row"]["rating"] is not None:
            given[appointment["doctor"]].append(appointment["row"]["rating"])
    for doctor in case.evidence.doctors:
        ratings = given[doctor["id"]]
        mean = fmean(ratings) if ratings else 0.0
        if doctor["rating_count"] != len(ratings) or not isclose(doctor["rating"], mean):
            told = f"{doctor['rating']} by {doctor['rating_count']}"
            yield f"doctor {doctor['id']} is rated {told}, given were {mean} by {len(ratings)}"


def _compared(service: str, wanted: AbstractSet[Any], found: AbstractSet[Any]) -> Iterator[str]:
    yield from (f"the {service} does not have appointment {row[0]} as it is" for row in wanted - found)
    known = {row[0] for row in wanted}
    yield from (f"the {service} has an appointment {row[0]} that is not there" for row in found if row[0] not in known)


def _occupied_until(appointment: Row) -> object:
    return appointment["until"] + timedelta(minutes=appointment["buffer"])


def attempts(case: Case) -> Iterator[str]:
    """Every booking that was made is in the analytics, once."""
    counted = Counter(row["id"] for row in case.evidence.attempts)
    booked = {event["id"] for event in case.evidence.events if event["kind"] in ("BOOKED", "HELD")}
    yield from (f"booking {one} is in the analytics {counted[one]} times" for one in booked if counted[one] != 1)
    yield from (f"the analytics count {one}, which was never booked" for one in counted.keys() - booked)


def chain(case: Case) -> Iterator[str]:
    """The system's own audit of the hash chain has nothing to object to."""
    if case.evidence.chain:
        yield case.evidence.chain
