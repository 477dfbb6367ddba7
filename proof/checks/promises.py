"""What clients were told, against what there is: nothing acknowledged is lost, nothing refused, nothing done twice."""

from collections.abc import Iterator, Mapping

from proof.checks.case import THE_CLOCK, Case, instant, kind_of, named
from proof.evidence import Row
from proof.history import FAIL, OK, UNKNOWN, Operation

# What each call does: the kinds that its event may have and the states it may lead to; None means that the state stays.
_TO_COME = frozenset({"CONFIRMED", "PENDING"})
_EFFECTS: Mapping[str, tuple[frozenset[str], frozenset[str] | None]] = {
    "Book": (frozenset({"BOOKED"}), _TO_COME),
    "SmartBook": (frozenset({"BOOKED"}), _TO_COME),
    "HoldSlot": (frozenset({"HELD"}), frozenset({"HELD"})),
    "ConfirmHold": (_TO_COME, _TO_COME),
    "ApproveAppointment": (frozenset({"APPROVED"}), frozenset({"CONFIRMED"})),
    "RescheduleAppointment": (frozenset({"RESCHEDULED"}), None),
    "CancelAppointment": (frozenset({"CANCELLED"}), frozenset({"CANCELLED"})),
    "StartAppointment": (frozenset({"IN_PROGRESS"}), frozenset({"IN_PROGRESS"})),
    "CompleteAppointment": (frozenset({"COMPLETED"}), frozenset({"COMPLETED"})),
    "RateVisit": (frozenset({"RATED"}), frozenset({"COMPLETED"})),
}
_BUSY = {"SLOT_TAKEN", "PATIENT_BUSY", "DAILY_LIMIT_REACHED", "DOCTOR_DAY_FULL", "TOO_SOON"}
_CHANGED = {"WRONG_STATE", "ETAG_MISMATCH"}
# With which reasons each call may be refused here. That an appointment is not found, or a time that is on offer lies
# outside the hours, is not among them: clients ask only for what they were told of.
_REFUSALS: Mapping[str, set[str]] = {
    "Book": _BUSY,
    "HoldSlot": _BUSY,
    "ConfirmHold": {"HOLD_EXPIRED", *_CHANGED},
    "ApproveAppointment": _CHANGED,
    "RateVisit": {"ALREADY_RATED", "WRONG_STATE"},
    "SmartBook": {"NO_AVAILABILITY", *_BUSY} - {"SLOT_TAKEN"},
    "RescheduleAppointment": {"TOO_LATE_TO_RESCHEDULE", "HOLD_EXPIRED", *_BUSY, *_CHANGED},
    "CancelAppointment": {"TOO_LATE_TO_CANCEL", *_CHANGED},
    "StartAppointment": {"TOO_EARLY", *_CHANGED},
    "CompleteAppointment": _CHANGED,
}
_FAULTS = {"INTERNAL", "UNKNOWN", "CONTENTION"}
_SAME = ("patient", "doctor", "kind", "id", "rating")


def worthwhile(case: Case) -> Iterator[str]:
    """Enough was granted, and enough went wrong, for the other checks to mean something."""
    granted, least = case.history.counts()[OK], case.history.rules["least_granted"]
    if granted < least:
        yield f"{granted} operations were granted, at least {least} are wanted"
    if case.history.rules["faults"] and not case.history.faults:
        yield "the nemesis did nothing"


def acknowledged(case: Case) -> Iterator[str]:
    """Every operation that was acknowledged left its one event, with what the client was told and had asked for."""
    for operation in case.history.operations.values():
        if operation.outcome != OK:
            continue
        events = case.effects_of.get(operation.trace, [])
        if not events:
            yield f"{operation} left no event: it is lost"
            continue
        for difference in _differences(operation, events[0]):
            yield f"{operation}: {difference}"


def _differences(operation: Operation, event: Row) -> Iterator[str]:
    told, after = operation.result, event["after"]
    kinds, states = _EFFECTS[operation.verb]
    if event["kind"] not in kinds:
        yield f"left {named(event)}"
    if states is not None and told["status"] not in states:
        yield f"was told {told['status']}"
    there = {
        "id": event["id"],
        "version": event["version"],
        "status": after["status"],
        "patient": after["patient_id"],
        "doctor": after["doctor_id"],
        "kind": kind_of(after["kind"]),
        "start": instant(after["start_time"]),
        "end": instant(after["end_time"]),
        "rating": after["rating"] or 0,
    }
    heard = {**told, "start": instant(told["start"]), "end": instant(told["end"])}
    yield from (
        f"was told {name} {heard[name]}, stored is {there[name]}" for name in there if there[name] != heard[name]
    )
    asked = operation.intent
    yield from (f"asked for {name} {asked[name]}" for name in _SAME if name in asked and asked[name] != there[name])
    if "start" in asked and instant(asked["start"]) != there["start"]:
        yield f"asked for {asked['start']}, got {there['start']}"
    if asked.get("etag") and int(asked["etag"]) + 1 != there["version"]:
        yield f"took effect on version {there['version'] - 1}"


def refused(case: Case) -> Iterator[str]:
    """Every operation that was refused left nothing behind, and was refused for a reason that can be."""
    for operation in case.history.operations.values():
        if operation.outcome != FAIL:
            continue
        yield from (f"{operation} left {named(event)}" for event in case.effects_of.get(operation.trace, []))
        if operation.reason not in _REFUSALS[operation.verb] | _FAULTS:
            yield f"{operation} cannot be refused for that"


def once(case: Case) -> Iterator[str]:
    """No operation took effect more than once, and nothing took effect that nobody asked for."""
    for trace, events in case.effects_of.items():
        operation = case.operation_of.get(trace)
        if operation is None:
            yield from (f"{named(event)} was asked for by nobody" for event in events)
        elif len(events) > 1:
            yield f"{operation} took effect {len(events)} times: {'; '.join(map(named, events))}"
    for event in case.evidence.events:
        if event["role"] == THE_CLOCK and not _has_come(event):
            yield f"{named(event)} happened by itself before its time"


def _has_come(event: Row) -> bool:
    """Whether time alone may do this just then."""
    before, moment = event["before"], event["time"]
    match event["kind"], before and before["status"]:
        case "EXPIRED", "HELD":
            since = "hold_expire_time"
        case ("NO_SHOW", "CONFIRMED") | ("CANCELLED", "PENDING"):
            since = "start_time"
        case "COMPLETED", "IN_PROGRESS":
            since = "end_time"
        case _:
            return False
    return bool(moment >= instant(before[since]))


def repeats(case: Case) -> Iterator[str]:
    """Every repeat of an acknowledged request got the same bytes, which are those that the database keeps."""
    kept = {(row["caller"], row["key"]): row["digest"] for row in case.evidence.answers}
    for operation in case.history.operations.values():
        if operation.outcome != OK:
            continue
        for repeat in operation.repeats:
            if repeat.outcome == OK and repeat.answer != operation.answer:
                yield f"{operation} was answered something else when it was repeated"
            # A refusal leaves the key free, so one twin may be refused and the other granted a moment later.
            elif repeat.outcome == FAIL and not repeat.is_twin:
                yield f"{operation} was refused with {repeat.reason} when it was repeated"
        digest = kept.get((operation.caller, operation.key))
        if digest != operation.answer:
            yield f"{operation} was answered other bytes than the database keeps ({digest or 'none'})"


def settled(case: Case) -> Iterator[str]:
    """Once everything works again, every question that was left open gets an answer."""
    for operation in case.history.operations.values():
        if operation.outcome == UNKNOWN:
            yield f"{operation} never got an answer"


def faultless(case: Case) -> Iterator[str]:
    """No call ends in a fault of ours, and PostgreSQL never has to break a deadlock."""
    for operation in case.history.operations.values():
        for reason in {*operation.attempts, operation.reason} & _FAULTS:
            yield f"{operation} met {reason}"
    deadlocks = case.evidence.log.count("deadlock detected")
    if deadlocks:
        yield f"PostgreSQL broke {deadlocks} deadlocks"


def reads(case: Case) -> Iterator[str]:
    """Who was told of a version is never shown an older one afterwards, and every read shows what was committed."""
    told = sorted(
        (operation.ended, str(operation.result["id"]), int(operation.result["version"]))
        for operation in case.history.operations.values()
        if operation.outcome == OK and not operation.was_unknown
    )
    known: dict[str, int] = {}
    position = 0
    for read in sorted(case.history.reads, key=lambda read: read["began"]):
        while position < len(told) and told[position][0] < read["began"]:
            _, appointment_id, version = told[position]
            known[appointment_id] = max(known.get(appointment_id, 0), version)
            position += 1
        least = known.get(read["id"], 0)
        if read["version"] < least:
            yield f"a read of {read['id']} showed version {read['version']} after {least} had been acknowledged"
        events = case.events_of.get(read["id"], [])
        committed = {event["version"]: event["after"]["status"] for event in events}
        if committed.get(read["version"]) != read["status"]:
            yield f"a read of {read['id']} showed {read['status']} as version {read['version']}, which never was"
