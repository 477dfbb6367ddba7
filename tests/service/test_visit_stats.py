"""GetStats over gRPC: right to the digit against a recount, and nobody else's."""

import random
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from math import floor
from typing import Any
from uuid import UUID

import pytest
from telemed.appointment.v1 import statistics_pb2 as pb
from telemed.type.v1 import scheduling_pb2

from chassis.context import Role
from chassis.protos import to_timestamp
from chassis.sql import Query
from kernel.appointment_status import AppointmentStatus as Status
from kernel.appointment_types import AppointmentType
from tests.fix_ledger import TEN
from tests.fix_records import Records
from tests.refusals import fields_of, reason_of, refusal

INSERT = Query(
    "insert",
    """INSERT INTO appointment (
           appointment_id, patient_id, doctor_id, status, kind, start_time, end_time, buffer_minutes, seat, timezone,
           specialty_required, patient_notes, match_score, is_preferred_doctor, version, create_time, update_time
       ) VALUES (
           gen_random_uuid(), %(patient_id)s::uuid, %(doctor_id)s::uuid, %(status)s::appointment_status,
           %(kind)s::appointment_kind, %(start)s, %(end)s, 0, 0, 'UTC', '', '', %(score)s, false, 1,
           %(start)s, %(start)s
       )""",
)
UPCOMING = {Status.PENDING, Status.CONFIRMED, Status.IN_PROGRESS}
PATIENTS = [str(UUID(int=n)) for n in range(1, 13)]
DOCTORS = [str(UUID(int=n)) for n in range(101, 106)]


@dataclass(frozen=True)
class Seen:
    patient_id: str
    doctor_id: str
    status: Status
    kind: AppointmentType
    start: datetime
    end: datetime
    score: float


def some_visits(chance: random.Random, count: int) -> list[Seen]:
    """Visits of few people, so that they meet again; starts on a coarse grid, so that some coincide."""
    visits = []
    for _ in range(count):
        start = TEN + timedelta(hours=chance.randrange(-3000, 1000))
        end = start + timedelta(minutes=chance.randrange(5, 241))
        score = 0.0 if chance.random() < 0.2 else round(chance.random(), 4)
        status = chance.choice([*Status, Status.COMPLETED, Status.COMPLETED, Status.COMPLETED])
        kind = chance.choice([*AppointmentType][:8])
        visits.append(Seen(chance.choice(PATIENTS), chance.choice(DOCTORS), status, kind, start, end, score))
    return visits


async def store(records: Records, visits: list[Seen]) -> None:
    # Long before all of them, or the service's clocks would settle those that are past.
    records.now[0] = TEN - timedelta(days=1000)
    rows = [
        {"patient_id": v.patient_id, "doctor_id": v.doctor_id, "status": v.status.value, "kind": v.kind.value,
         "start": v.start, "end": v.end, "score": v.score}
        for v in visits
    ]  # fmt: skip
    async with records.ledger.database.session() as session:
        await session.execute_many(INSERT, rows)


def rounded(number: Fraction) -> float:
    """To six digits, halves up, as documented."""
    return floor(number * 10**6 + Fraction(1, 2)) / 10**6


def ratio(part: int | Fraction, whole: int) -> float:
    return rounded(Fraction(part) / whole) if whole else 0.0


def recount(everything: list[Seen], **only: Any) -> pb.GetStatsResponse:
    """The definition, spelled out the slow way."""
    chosen = [v for v in everything if v.status not in (Status.HELD, Status.EXPIRED)]
    chosen = [v for v in chosen if v.patient_id == only.get("patient_id", v.patient_id)]
    chosen = [v for v in chosen if v.doctor_id == only.get("doctor_id", v.doctor_id)]
    chosen = [
        v
        for v in chosen
        if only.get("since", v.start) <= v.start
        and v.start < only.get("until", datetime.max.replace(tzinfo=v.start.tzinfo))
    ]
    completed = [v for v in chosen if v.status is Status.COMPLETED]
    before = {
        id(v): [
            o for o in everything if o.status is Status.COMPLETED and o.patient_id == v.patient_id and o.start < v.start
        ]
        for v in completed
    }
    again = [v for v in completed if any(o.doctor_id == v.doctor_id for o in before[id(v)])]
    possible = [v for v in completed if before[id(v)]]
    minutes = sum((Fraction((v.end - v.start) // timedelta(seconds=1), 60) for v in completed), Fraction(0))
    scores = [Fraction(str(v.score)) for v in chosen if v.score > 0]
    kinds = Counter(scheduling_pb2.AppointmentType.Value(f"APPOINTMENT_TYPE_{v.kind.name}") for v in chosen)
    return pb.GetStatsResponse(
        total_appointments=len(chosen),
        completed_appointments=len(completed),
        cancelled_appointments=sum(v.status is Status.CANCELLED for v in chosen),
        no_show_appointments=sum(v.status is Status.NO_SHOW for v in chosen),
        upcoming_appointments=sum(v.status in UPCOMING for v in chosen),
        average_duration_minutes=ratio(minutes, len(completed)),
        appointment_type_breakdown=[
            pb.AppointmentTypeCount(appointment_type=kind, count=kinds[kind]) for kind in sorted(kinds)
        ],
        doctor_continuity_rate=ratio(len(again), len(possible)),
        continuity_visits=len(again),
        possible_continuity_visits=len(possible),
        average_match_score=ratio(sum(scores, Fraction(0)), len(scores)),
    )


def request(**only: Any) -> pb.GetStatsRequest:
    times = {
        name: to_timestamp(only.pop(key)) for key, name in (("since", "from_time"), ("until", "to_time")) if key in only
    }
    return pb.GetStatsRequest(**only, **times)


async def test_every_figure_is_what_a_recount_finds(records: Records):
    chance = random.Random(7)  # noqa: S311 - makes data, guards nothing
    visits = some_visits(chance, 900)
    await store(records, visits)
    filters: list[dict[str, Any]] = [{}, {"patient_id": str(UUID(int=999))}]
    filters += [{"patient_id": patient} for patient in PATIENTS[:4]] + [{"doctor_id": doctor} for doctor in DOCTORS]
    for _ in range(12):
        since = TEN + timedelta(hours=chance.randrange(-3000, 0))
        window: dict[str, Any] = {"since": since, "until": since + timedelta(hours=chance.randrange(1, 2000))}
        filters.append(window)
        filters.append(window | {"patient_id": chance.choice(PATIENTS), "doctor_id": chance.choice(DOCTORS)})
        filters.append({"since": since, "doctor_id": chance.choice(DOCTORS)})
    for only in filters:
        assert await records.call("GetStats", request(**only)) == recount(visits, **only), only


async def test_three_visits_with_one_doctor_and_one_with_another_are_two_thirds_of_continuity(records: Records):
    patient, one, other = PATIENTS[0], DOCTORS[0], DOCTORS[1]
    hours = zip((one, one, one, other), range(4), strict=True)
    await store(
        records,
        [
            Seen(
                patient, doctor, Status.COMPLETED, AppointmentType.FOLLOW_UP, start, start + timedelta(minutes=20), 0.5
            )
            for doctor, start in ((doctor, TEN + timedelta(hours=hour)) for doctor, hour in hours)
        ],
    )
    told = await records.call("GetStats", request(patient_id=patient))
    assert (told.continuity_visits, told.possible_continuity_visits) == (2, 3)
    assert told.doctor_continuity_rate == 0.666667
    later = await records.call("GetStats", request(patient_id=patient, since=TEN + timedelta(hours=2)))
    assert (later.continuity_visits, later.possible_continuity_visits) == (1, 2), (
        "what was before counts, though not shown"
    )


async def test_without_a_visit_every_figure_is_nought(records: Records):
    assert await records.call("GetStats", pb.GetStatsRequest()) == pb.GetStatsResponse()


async def test_patients_and_doctors_are_told_their_own_figures_alone(records: Records):
    chance = random.Random(8)  # noqa: S311 - makes data, guards nothing
    visits = some_visits(chance, 200)
    await store(records, visits)
    patient, doctor = PATIENTS[0], DOCTORS[0]
    for given in ({}, {"patient_id": patient}):
        told = await records.call("GetStats", request(**given), Role.PATIENT, patient)
        assert told == recount(visits, patient_id=patient)
    for given in ({}, {"doctor_id": doctor}):
        told = await records.call("GetStats", request(**given), Role.DOCTOR, doctor)
        assert told == recount(visits, doctor_id=doctor)
    both = await records.call("GetStats", request(patient_id=patient), Role.DOCTOR, doctor)
    assert both == recount(visits, patient_id=patient, doctor_id=doctor)
    for role, subject, given in (
        (Role.PATIENT, patient, {"patient_id": PATIENTS[1]}),
        (Role.DOCTOR, doctor, {"doctor_id": DOCTORS[1]}),
    ):
        error = await refusal(records.call("GetStats", request(**given), role, subject))
        assert reason_of(error) == "PERMISSION_DENIED"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"patient_id": "x"}, "patient_id"),
        ({"doctor_id": "x"}, "doctor_id"),
        ({"since": TEN, "until": TEN}, "to"),
        ({"since": TEN, "until": TEN - timedelta(days=1)}, "to"),
    ],
)
async def test_a_bad_field_is_named(records: Records, given: dict[str, Any], field: str):
    assert fields_of(await refusal(records.call("GetStats", request(**given)))) == [field]
