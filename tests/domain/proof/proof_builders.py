"""A small day that went well, as a history and as evidence, to be spoiled by tests of the checker."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

from proof.checks.case import Case
from proof.evidence import Evidence
from proof.history import History

DOCTOR, ANN, BOB, CID = "doctor", "ann", "bob", "cid"
NINE, TEN = datetime(2027, 3, 12, 9, tzinfo=UTC), datetime(2027, 3, 12, 10, tzinfo=UTC)
MORNING = datetime(2027, 3, 12, 7, tzinfo=UTC).timestamp()
# The verb, the kind of its event, the appointment, its version, state, start and patient afterwards.
STEPS: list[tuple[str, str, str, int, str, datetime, str]] = [
    ("Book", "BOOKED", "a", 1, "CONFIRMED", NINE, ANN),
    ("RescheduleAppointment", "RESCHEDULED", "a", 2, "CONFIRMED", TEN, ANN),
    ("HoldSlot", "HELD", "b", 1, "HELD", NINE, BOB),
    ("ConfirmHold", "CONFIRMED", "b", 2, "CONFIRMED", NINE, BOB),
    ("CancelAppointment", "CANCELLED", "a", 3, "CANCELLED", TEN, ANN),
]


def good_day() -> Case:
    """Ann books nine and moves to ten, Bob holds nine and confirms it, Cid is refused ten, Ann calls off."""
    history, last, events = History(), {}, []
    for line in _preamble():
        history.take(line)
    for number, (verb, kind, appointment, version, status, start, patient) in enumerate(STEPS, start=1):
        at = MORNING + number
        after = _snapshot(appointment, version, status, start=start, patient=patient, at=at)
        events.append(_event(number, kind, at, last.get(appointment), after))
        last[appointment] = after
        for line in _operation(number, verb, at, after):
            history.take(line)
        if number == len(STEPS) - 1:
            for line in _refusal(at + 0.5):
                history.take(line)
    return Case(history, _evidence(events, list(last.values())))


def _preamble() -> list[dict[str, Any]]:
    offer = {"minutes": 30, "buffer": 10, "capacity": 1}
    hours = {"zone": "UTC", "blocks": [[540, 720]], "offers": {"FOLLOW_UP": offer}, "day_limit": 2, "approves": False}
    return [
        {"type": "rules", "at": MORNING, "daily_limit": 3, "hold_seconds": 2, "least_granted": 5, "faults": False},
        {"type": "doctor", "at": MORNING, "id": DOCTOR, **hours},
    ]


def _snapshot(
    appointment: str, version: int, status: str, *, start: datetime, patient: str, at: float
) -> dict[str, Any]:
    return {
        "appointment_id": appointment,
        "version": version,
        "status": status,
        "patient_id": patient,
        "doctor_id": DOCTOR,
        "kind": "FollowUp",
        "start_time": start.isoformat(),
        "end_time": (start + timedelta(minutes=30)).isoformat(),
        "buffer_minutes": 10,
        "seat": 0,
        "rating": None,
        "hold_expire_time": datetime.fromtimestamp(at + 2, UTC).isoformat() if status == "HELD" else None,
    }


def _event(number: int, kind: str, at: float, before: Any, after: dict[str, Any]) -> dict[str, Any]:
    return {
        "event_id": number,
        "revision": number,
        "id": after["appointment_id"],
        "version": after["version"],
        "kind": kind,
        "time": datetime.fromtimestamp(at, UTC),
        "actor": after["patient_id"],
        "role": "patient",
        "before": before,
        "after": after,
        "trace": f"trace {number}",
    }


def _operation(number: int, verb: str, at: float, after: dict[str, Any]) -> list[dict[str, Any]]:
    start, end = after["start_time"], after["end_time"]
    told = {"id": after["appointment_id"], "version": after["version"], "status": after["status"], "rating": 0}
    told |= {"patient": after["patient_id"], "doctor": DOCTOR, "kind": "FOLLOW_UP", "start": start, "end": end}
    intent = {"patient": after["patient_id"], "doctor": DOCTOR, "kind": "FOLLOW_UP", "start": start}
    if after["version"] > 1:
        intent = {"id": after["appointment_id"], "etag": str(after["version"] - 1)}
    seen = {"type": "seen", "at": at, "revision": number, "appointment": told["id"], "version": told["version"]}
    return [
        _invoke(number, verb, at - 0.1, after["patient_id"], intent),
        {"type": "ok", "at": at + 0.1, "op": number, "answer": f"answer {number}", "result": told},
        {**seen, "status": told["status"], "start": start},
        {"type": "read", "at": at + 0.3, "began": at + 0.2, "id": told["id"], "version": told["version"]}
        | {"status": told["status"]},
    ]


def _refusal(at: float) -> list[dict[str, Any]]:
    intent = {"patient": CID, "doctor": DOCTOR, "kind": "FOLLOW_UP", "start": TEN.isoformat()}
    return [_invoke(99, "Book", at, CID, intent), {"type": "fail", "at": at + 0.1, "op": 99, "reason": "SLOT_TAKEN"}]


def _invoke(number: int, verb: str, at: float, caller: str, intent: dict[str, Any]) -> dict[str, Any]:
    line = {"type": "invoke", "at": at, "op": number, "client": 1, "verb": verb, "caller": caller, "intent": intent}
    return {**line, "key": f"key {number}", "trace": f"trace {number}"}


def _evidence(events: list[dict[str, Any]], rows: list[dict[str, Any]]) -> Evidence:
    appointments = [_appointment(row) for row in rows]
    kept = [row for row in appointments if row["status"] == "CONFIRMED"]
    copies = [{**row, "occupied_until": row["until"] + timedelta(minutes=10)} for row in appointments]
    found: dict[str, Any] = {
        "appointments": appointments,
        "events": events,
        "feed": [{"revision": event["revision"], "event_id": event["event_id"]} for event in events],
        "feed_head": {"revision": len(events), "pending": 0},
        "doctor_claims": [
            {**row, "owner": row["doctor"], "until": row["until"] + timedelta(minutes=10)} for row in kept
        ],
        "patient_claims": [{**row, "owner": row["patient"]} for row in kept],
        "answers": [
            {"caller": event["actor"], "method": "", "key": f"key {event['event_id']}"}
            | {"digest": f"answer {event['event_id']}"}
            for event in events
        ],
        "attempts": [{"id": row["id"], "method": "MANUAL", "outcome": "BOOKED"} for row in appointments],
        "doctors": [{"id": DOCTOR, "rating": 0.0, "rating_count": 0}],
        "doctor_copy": copies,
        "doctor_cursor": len(events),
        "video_copy": [dict(row) for row in copies],
        "video_cursor": len(events),
        "log": "",
        "chain": "",
    }
    return Evidence(**{field.name: found[field.name] for field in fields(Evidence)})


def _appointment(row: dict[str, Any]) -> dict[str, Any]:
    start, until = datetime.fromisoformat(row["start_time"]), datetime.fromisoformat(row["end_time"])
    told = {"id": row["appointment_id"], "patient": row["patient_id"], "doctor": row["doctor_id"], "kind": row["kind"]}
    told |= {"status": row["status"], "start": start, "until": until, "buffer": 10, "seat": 0}
    return {**told, "version": row["version"], "row": dict(row)}
