"""What may be booked at all, and what may be refused: the hours of doctors, and whether a "taken" was true."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from proof.checks.case import OCCUPYING, Case, instant, kind_of, named
from proof.evidence import Row
from proof.history import FAIL, Operation

# How long after its event a change by nobody's call (a clock's) may take to be committed and seen.
_CLOCK_SLACK_SECONDS = 10.0
# How far apart the clock of the database and that of a client of the same machine may be read.
_CLOCK_SKEW_SECONDS = 0.05
_OF_DOCTORS = frozenset({"SLOT_TAKEN", "DOCTOR_DAY_FULL"})
_OF_PATIENTS = frozenset({"PATIENT_BUSY", "DAILY_LIMIT_REACHED"})


def hours(case: Case) -> Iterator[str]:
    """Every time that was ever taken lies wholly in the doctor's hours, with the length and buffer of its kind."""
    for event in case.evidence.events:
        if event["kind"] in ("BOOKED", "RESCHEDULED", "HELD") and (trouble := _outside(case, event["after"])):
            yield f"{named(event)}: {trouble}"


def _outside(case: Case, row: Row) -> str:
    doctor = case.history.doctors.get(row["doctor_id"])
    if doctor is None:
        return f"nobody has added doctor {row['doctor_id']}"
    offer = doctor["offers"].get(kind_of(row["kind"]))
    if offer is None:
        return f"the doctor offers no {row['kind']}"
    start, end = instant(row["start_time"]), instant(row["end_time"])
    if end - start != timedelta(minutes=offer["minutes"]) or row["buffer_minutes"] != offer["buffer"]:
        return f"{start} to {end} and {row['buffer_minutes']} minutes is not what the doctor offers"
    zone = ZoneInfo(doctor["zone"])
    for opens, closes in doctor["blocks"]:
        day = start.astimezone(zone).date()
        if _instant_of(day, opens, zone) <= start and end <= _instant_of(day, closes, zone):
            return ""
    return f"{start} to {end} is outside the hours"


def _instant_of(day: date, minute: int, zone: ZoneInfo) -> datetime:
    wall = datetime.combine(day, datetime.min.time()) + timedelta(minutes=minute)
    return wall.replace(tzinfo=zone).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Stay:
    """That an appointment kept a time; it may have been seen taken from `since` until `until` of the clinic's clock."""

    id: str
    doctor: str
    patient: str
    kind: str
    start: datetime
    end: datetime
    occupied_until: datetime
    day: date
    since: float
    until: float


def refusals(case: Case) -> Iterator[str]:
    """Nobody is told that a time is taken, or a day full, unless it was so at some moment while they asked."""
    stays = list(_stays(case))
    by_doctor: dict[str, list[Stay]] = {}
    by_patient: dict[str, list[Stay]] = {}
    for stay in stays:
        by_doctor.setdefault(stay.doctor, []).append(stay)
        by_patient.setdefault(stay.patient, []).append(stay)
    for operation in case.history.operations.values():
        asked = _asked(case, operation)
        if asked is None:
            continue
        theirs = (
            by_doctor.get(asked.doctor, []) if operation.reason in _OF_DOCTORS else by_patient.get(asked.patient, [])
        )
        while_asking = [s for s in theirs if s.since <= operation.ended and operation.invoked <= s.until]
        beside = [stay for stay in while_asking if stay.id != asked.id]
        if not _is_earned(case, operation.reason, asked, beside):
            yield f"{operation} was refused although nothing stood in the way"


def _is_earned(case: Case, reason: str, asked: Stay, beside: list[Stay]) -> bool:
    if reason == "PATIENT_BUSY":
        return any(stay.start < asked.end and asked.start < stay.end for stay in beside)
    if reason == "DAILY_LIMIT_REACHED":
        return len({stay.id for stay in beside if stay.day == asked.day}) >= int(case.history.rules["daily_limit"])
    if reason == "DOCTOR_DAY_FULL":
        most = case.history.doctors[asked.doctor]["day_limit"]
        return bool(0 < most <= len({stay.id for stay in beside if stay.day == asked.day}))
    near = [stay for stay in beside if stay.start < asked.occupied_until and asked.start < stay.occupied_until]
    capacity = case.history.doctors[asked.doctor]["offers"][asked.kind]["capacity"]
    return any(stay.kind != asked.kind for stay in near) or len({stay.id for stay in near}) >= capacity


def _asked(case: Case, operation: Operation) -> Stay | None:
    """The time that an operation was refused, as if it had got it; None where the check has nothing to say."""
    if operation.outcome != FAIL or operation.reason not in _OF_DOCTORS | _OF_PATIENTS:
        return None
    if operation.was_unknown or "start" not in operation.intent:
        return None
    appointment_id = operation.intent.get("id", "")
    events = case.events_of.get(appointment_id, [])
    who = operation.intent if not appointment_id else _who(events[0]["after"]) if events else None
    if who is None:
        return None
    doctor = case.history.doctors[who["doctor"]]
    offer = doctor["offers"][who["kind"]]
    start = instant(operation.intent["start"])
    end = start + timedelta(minutes=offer["minutes"])
    day = start.astimezone(ZoneInfo(doctor["zone"])).date()
    buffered = end + timedelta(minutes=offer["buffer"])
    return Stay(
        appointment_id, who["doctor"], who["patient"], who["kind"], start, end, buffered, day, 0.0, float("inf")
    )


def _who(row: Row) -> Mapping[str, Any]:
    return {"doctor": row["doctor_id"], "patient": row["patient_id"], "kind": kind_of(row["kind"])}


def _stays(case: Case) -> Iterator[Stay]:
    for history in case.events_of.values():
        for event, next_event in zip(history, [*history[1:], None], strict=True):
            row = event["after"]
            doctor = case.history.doctors.get(row["doctor_id"])
            if row["status"] not in OCCUPYING or doctor is None:
                continue
            start, end = instant(row["start_time"]), instant(row["end_time"])
            yield Stay(
                id=event["id"],
                doctor=row["doctor_id"],
                patient=row["patient_id"],
                kind=kind_of(row["kind"]),
                start=start,
                end=end,
                occupied_until=end + timedelta(minutes=row["buffer_minutes"]),
                day=start.astimezone(ZoneInfo(doctor["zone"])).date(),
                since=_began(case, event),
                until=min(_over(case, next_event), _runs_out(row)),
            )


def _runs_out(row: Row) -> float:
    """From when on a hold stands in nobody's way, whether or not anybody has cleared it away."""
    if row["status"] != "HELD":
        return float("inf")
    return instant(row["hold_expire_time"]).timestamp() + _CLOCK_SKEW_SECONDS


def _began(case: Case, event: Row) -> float:
    operation = case.operation_of.get(event["trace"])
    moment: float = event["time"].timestamp()
    return min(operation.invoked, moment) if operation is not None else moment


def _over(case: Case, event: Row | None) -> float:
    """Until when a stay may have been seen: its end is committed at the latest when whoever ended it was told."""
    if event is None:
        return float("inf")
    operation = case.operation_of.get(event["trace"])
    if operation is None or event["kind"] == "EXPIRED":
        return float(event["time"].timestamp()) + _CLOCK_SLACK_SECONDS
    return operation.ended
