"""Nobody is in two places: the diaries of doctors and patients at every moment of a run, and the claims at its end."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from proof.checks.case import OCCUPYING, Case, instant, kind_of
from proof.evidence import Row


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit that keeps time: the doctor's until `occupied_until`, the patient's until `end`."""

    id: str
    doctor: str
    patient: str
    kind: str
    start: datetime
    end: datetime
    occupied_until: datetime
    day: date


Rule = Callable[[Case, Visit, Sequence[Visit]], str]


def doctors(case: Case) -> Iterator[str]:
    """No doctor ever has visits of different kinds at once, or more of one kind than its capacity."""
    yield from _at_every_moment(case, lambda visit: visit.doctor, _doctor_is_free)


def patients(case: Case) -> Iterator[str]:
    """No patient ever has two visits at once."""
    yield from _at_every_moment(case, lambda visit: visit.patient, _patient_is_free)


def daily_limit(case: Case) -> Iterator[str]:
    """No patient ever has more visits on a day of a doctor's calendar than the clinic allows."""
    yield from _at_every_moment(case, lambda visit: f"{visit.patient} {visit.day}", _day_has_room)


def doctors_day(case: Case) -> Iterator[str]:
    """No doctor ever has more visits on a day than they take on."""
    yield from _at_every_moment(case, lambda visit: f"{visit.doctor} {visit.day}", _doctor_has_room)


def _doctor_is_free(case: Case, visit: Visit, others: Sequence[Visit]) -> str:
    beside = [o for o in others if o.start < visit.occupied_until and visit.start < o.occupied_until]
    for other in beside:
        if other.kind != visit.kind:
            return f"doctor {visit.doctor} has {visit} beside {other}, of another kind"
    same = [visit, *beside]
    capacity = case.history.doctors[visit.doctor]["offers"].get(visit.kind, {"capacity": 0})["capacity"]
    most = max(sum(o.start <= moment.start < o.occupied_until for o in same) for moment in same)
    return (
        f"doctor {visit.doctor} has {most} visits at once around {visit}, room is for {capacity}"
        if most > capacity
        else ""
    )


def _patient_is_free(_: Case, visit: Visit, others: Sequence[Visit]) -> str:
    beside = [o for o in others if o.start < visit.end and visit.start < o.end]
    return f"patient {visit.patient} has {visit} and {beside[0]} at once" if beside else ""


def _day_has_room(case: Case, visit: Visit, others: Sequence[Visit]) -> str:
    most = case.history.rules["daily_limit"]
    count = len(others) + 1
    return (
        f"patient {visit.patient} has {count} visits on {visit.day}, at most {most} are allowed" if count > most else ""
    )


def _doctor_has_room(case: Case, visit: Visit, others: Sequence[Visit]) -> str:
    most, count = case.history.doctors[visit.doctor]["day_limit"], len(others) + 1
    full = f"doctor {visit.doctor} has {count} visits on {visit.day}, and takes on {most}"
    return full if 0 < most < count else ""


def _at_every_moment(case: Case, owner_of: Callable[[Visit], str], rule: Rule) -> Iterator[str]:
    """Replays the feed change by change and judges each visit that takes time against those that keep it just then.

    Whoever takes a time has to wait for the commit of whoever frees it, so the order of the feed is one in which it
    may be asked. What stands in the tables at the end is judged as well, in case that an event is missing.
    """
    diaries: dict[str, dict[str, Visit]] = defaultdict(dict)
    held: dict[str, Visit] = {}
    for event in case.evidence.events:
        if (before := held.pop(event["id"], None)) is not None:
            del diaries[owner_of(before)][before.id]
        visit = _visit(case, event["after"])
        if event["after"]["status"] in OCCUPYING and visit is not None:
            others = diaries[owner_of(visit)]
            if trouble := rule(case, visit, list(others.values())):
                yield trouble
            others[visit.id] = held[visit.id] = visit
    diaries.clear()
    for appointment in case.evidence.appointments:
        visit = _visit(case, appointment["row"])
        if appointment["status"] in OCCUPYING and visit is not None:
            others = diaries[owner_of(visit)]
            if trouble := rule(case, visit, list(others.values())):
                yield f"at the end {trouble}"
            others[visit.id] = visit


def _visit(case: Case, row: Row) -> Visit | None:
    """A visit from a snapshot; None for a doctor whom nobody has added, which `hours` reports."""
    doctor = case.history.doctors.get(row["doctor_id"])
    if doctor is None:
        return None
    start, end = instant(row["start_time"]), instant(row["end_time"])
    return Visit(
        id=row["appointment_id"],
        doctor=row["doctor_id"],
        patient=row["patient_id"],
        kind=kind_of(row["kind"]),
        start=start,
        end=end,
        occupied_until=end + timedelta(minutes=row["buffer_minutes"]),
        day=start.astimezone(ZoneInfo(doctor["zone"])).date(),
    )


def claims(case: Case) -> Iterator[str]:
    """The claims are those of the appointments that keep time, exactly: none is missing, none is left over."""
    keeping = [a for a in case.evidence.appointments if a["status"] in OCCUPYING]
    wanted = Counter(
        (a["doctor"], a["id"], a["kind"], a["seat"], a["start"], a["until"] + timedelta(minutes=a["buffer"]))
        for a in keeping
    )
    found = Counter(
        (c["owner"], c["id"], c["kind"], c["seat"], c["start"], c["until"]) for c in case.evidence.doctor_claims
    )
    yield from _differences("doctor", wanted, found)
    wanted_of_patients = Counter((a["patient"], a["id"], a["start"], a["until"]) for a in keeping)
    found_of_patients = Counter((c["owner"], c["id"], c["start"], c["until"]) for c in case.evidence.patient_claims)
    yield from _differences("patient", wanted_of_patients, found_of_patients)


def _differences(owner: str, wanted: Counter[Any], found: Counter[Any]) -> Iterator[str]:
    yield from (f"the {owner}'s claim of appointment {claim[1]} is missing" for claim in wanted - found)
    yield from (f"a {owner}'s claim of appointment {claim[1]} is held by no appointment" for claim in found - wanted)
