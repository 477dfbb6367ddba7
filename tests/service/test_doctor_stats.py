"""GetDoctorStats over gRPC: right to the digit against a slow recount, in three statements, and not for everyone."""

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.type.date_pb2 import Date
from telemed.doctor.v1 import insights_pb2 as pb
from telemed.doctor.v1 import profiles_pb2

from chassis.context import Role
from chassis.protos import from_date
from doctor_svc.domain.doctor import Doctor
from doctor_svc.domain.visits import Visit
from doctor_svc.storage.hour_rows import override_row
from doctor_svc.storage.sql import HOURS
from kernel.appointment_status import AppointmentStatus
from tests.domain.doctor.minute_count import local_day, minutes_offered
from tests.domain.doctor.random_hours import KINDS, ZONES, some_overrides, some_rules
from tests.fix_doctors import NOON, DoctorClinic, a_doctor, a_rule, a_visit, change_of, seed
from tests.fix_spans import Spans
from tests.refusals import fields_of, reason_of, refusal

MARCH = date(2026, 3, 1)
COMPLETED = AppointmentStatus.COMPLETED


async def ask(clinic: DoctorClinic, doctor_id: str, role: Role = Role.ADMIN, **fields: Any) -> pb.DoctorStats:
    request = pb.GetDoctorStatsRequest(**({"doctor_id": doctor_id} | fields))
    stats: pb.DoctorStats = await clinic.service.GetDoctorStats(
        request, metadata=clinic.as_(role, doctor_id if role is Role.DOCTOR else str(uuid4())), timeout=20
    )
    return stats


def share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def told(stats: pb.DoctorStats, name: str) -> float | None:
    return getattr(stats, name) if stats.HasField(name) else None


def some_visits(chance: random.Random, doctors: Sequence[Doctor]) -> list[Visit]:
    """Visits of few patients with few doctors, so that many of them come back."""
    patients = [str(uuid4()) for _ in range(12)]
    return [
        a_visit(
            chance.choice(doctors).doctor_id,
            datetime(2026, 2, 20, tzinfo=UTC) + timedelta(minutes=5 * chance.randrange(30 * 24 * 12)),
            patient_id=chance.choice(patients),
            kind=chance.choice(KINDS),
            status=chance.choice((*AppointmentStatus, COMPLETED, COMPLETED, COMPLETED)),
        )
        for _ in range(400)
    ]


def recount(visits: Sequence[Visit], doctor: Doctor, first: date, last: date) -> dict[str, Any]:
    """The numbers of visits, by looking at every visit for every visit."""
    zone = doctor.profile.timezone
    mine = [
        visit
        for visit in visits
        if visit.doctor_id == doctor.doctor_id and first <= local_day(visit.start, zone) <= last
    ]
    counts = {status: sum(visit.status is status for visit in mine) for status in AppointmentStatus}
    free = (AppointmentStatus.HELD, AppointmentStatus.CANCELLED, AppointmentStatus.EXPIRED)
    booked = sum((visit.occupied_until - visit.start).seconds // 60 for visit in mine if visit.status not in free)
    returning = continued = 0
    for visit in mine:
        before = [
            other.doctor_id
            for other in visits
            if other.status is COMPLETED and other.patient_id == visit.patient_id and other.start < visit.start
        ]
        returning += visit.status is COMPLETED and bool(before)
        continued += visit.status is COMPLETED and visit.doctor_id in before
    missed, cancelled = counts[AppointmentStatus.NO_SHOW], counts[AppointmentStatus.CANCELLED]
    return {
        "counts": {status.value.lower(): count for status, count in counts.items()} | {"total": len(mine)},
        "booked": booked,
        "continuity_rate": share(continued, returning),
        "completion_rate": share(counts[COMPLETED], counts[COMPLETED] + missed + cancelled),
        "no_show_rate": share(missed, counts[COMPLETED] + missed),
    }


@pytest.mark.parametrize("seed_of_case", range(6))
async def test_every_number_is_what_a_slow_recount_finds(doctors: DoctorClinic, seed_of_case: int) -> None:
    chance = random.Random(seed_of_case)  # noqa: S311 - makes cases, guards nothing
    clinic = [a_doctor(zone=chance.choice(ZONES)) for _ in range(4)]
    rules = {one.doctor_id: list(some_rules(chance, one.doctor_id, MARCH)) for one in clinic}
    overrides = {one.doctor_id: list(some_overrides(chance, one.doctor_id, MARCH)) for one in clinic}
    await seed(doctors.database, clinic, [rule for of_one in rules.values() for rule in of_one])
    for override in (one for of_one in overrides.values() for one in of_one):
        await doctors.database.execute(HOURS["insert_override"], override_row(override, NOON))
    visits = some_visits(chance, clinic)
    revision = doctors.feed.write(*map(change_of, visits))
    for doctor in clinic:
        first = MARCH + timedelta(days=chance.randrange(-5, 10))
        last = first + timedelta(days=chance.randrange(10))
        stats = await ask(
            doctors, doctor.doctor_id, from_date=from_date(first), to_date=from_date(last), at_least_revision=revision
        )
        expected = recount(visits, doctor, first, last)
        assert {name.name: getattr(stats.visits, name.name) for name in stats.visits.DESCRIPTOR.fields} == (
            expected["counts"]
        )
        days = [first + timedelta(days=ahead) for ahead in range((last - first).days + 1)]
        offered = sum(
            minutes_offered(rules[doctor.doctor_id], overrides[doctor.doctor_id], day, doctor.profile.timezone)
            for day in days
        )
        assert (stats.offered_minutes, stats.booked_minutes) == (offered, expected["booked"])
        assert told(stats, "utilisation") == share(expected["booked"], offered)
        for rate in ("continuity_rate", "completion_rate", "no_show_rate"):
            assert told(stats, rate) == expected[rate], rate


async def test_without_days_the_last_thirty_of_the_doctors_calendar_are_told(doctors: DoctorClinic) -> None:
    here, ahead = a_doctor(), a_doctor(zone="Pacific/Kiritimati")  # it is Monday the 2nd there already
    await seed(doctors.database, [here, ahead], [a_rule(here, day) for day in range(7)])
    told_here, told_ahead = await ask(doctors, here.doctor_id), await ask(doctors, ahead.doctor_id)
    assert (told_here.from_date, told_here.to_date) == (from_date(date(2026, 1, 31)), from_date(MARCH))
    assert (told_ahead.from_date, told_ahead.to_date) == (
        from_date(date(2026, 2, 1)),
        from_date(MARCH + timedelta(days=1)),
    )
    assert (told_here.offered_minutes, told_here.utilisation) == (30 * 160, 0.0)
    assert not any(told_ahead.HasField(rate) for rate in ("utilisation", "continuity_rate", "completion_rate"))
    one_day = await ask(doctors, here.doctor_id, from_date=from_date(MARCH))
    assert (one_day.from_date, one_day.to_date, one_day.offered_minutes) == (from_date(MARCH), from_date(MARCH), 160)
    past = await ask(doctors, here.doctor_id, to_date=Date(year=2025, month=12, day=31))
    assert past.from_date == Date(year=2025, month=12, day=2)


async def test_the_rating_is_told_and_a_doctor_on_leave_keeps_their_numbers(doctors: DoctorClinic) -> None:
    doctor = a_doctor(rating=4.5, rating_count=8)
    await seed(doctors.database, [doctor], [a_rule(doctor, 0)])
    before = await ask(doctors, doctor.doctor_id, from_date=from_date(MARCH))
    leave = profiles_pb2.DeactivateDoctorRequest(doctor_id=doctor.doctor_id)
    await doctors.service.DeactivateDoctor(leave, metadata=doctors.as_(Role.ADMIN), timeout=10)
    after = await ask(doctors, doctor.doctor_id, from_date=from_date(MARCH))
    assert (before.rating, before.rating_count, before.offered_minutes) == (4.5, 8, 160)
    assert after == before


@pytest.mark.parametrize("days", [1, 366])
async def test_a_year_costs_as_many_statements_as_a_day(doctors: DoctorClinic, spans: Spans, days: int) -> None:
    doctor = a_doctor()
    await seed(doctors.database, [doctor], [a_rule(doctor, day) for day in range(7)])
    stats = await ask(
        doctors,
        doctor.doctor_id,
        from_date=from_date(MARCH),
        to_date=from_date(MARCH + timedelta(days=days - 1)),
    )
    assert stats.offered_minutes == days * 160
    (call,) = spans.named("telemed.doctor.v1.DoctorService/GetDoctorStats")
    statements = [span.name for span in spans.all() if span.parent and span.parent.span_id == call.context.span_id]
    assert statements == ["get_doctor", "get_schedule", "tally_visits"]


async def test_only_the_doctor_and_staff_may_see_them(doctors: DoctorClinic) -> None:
    doctor, other = a_doctor(), a_doctor()
    await seed(doctors.database, [doctor, other], [])
    request = pb.GetDoctorStatsRequest(doctor_id=doctor.doctor_id)
    for role, subject in ((Role.DOCTOR, doctor.doctor_id), (Role.ADMIN, str(uuid4())), (Role.SERVICE, "billing")):
        await doctors.service.GetDoctorStats(request, metadata=doctors.as_(role, subject), timeout=10)
    strange = await refusal(
        doctors.service.GetDoctorStats(request, metadata=doctors.as_(Role.DOCTOR, other.doctor_id), timeout=10)
    )
    assert (strange.code(), reason_of(strange)) == (grpc.StatusCode.NOT_FOUND, "DOCTOR_NOT_FOUND")
    patient = await refusal(
        doctors.service.GetDoctorStats(request, metadata=doctors.as_(Role.PATIENT, doctor.doctor_id), timeout=10)
    )
    assert reason_of(patient) == "PERMISSION_DENIED"
    unknown = await refusal(ask(doctors, str(uuid4())))
    assert reason_of(unknown) == "DOCTOR_NOT_FOUND"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"doctor_id": "x"}, "doctor_id"),
        ({"from_date": Date(year=2026, month=2, day=30)}, "from"),
        ({"to_date": Date(year=2026, month=2, day=30)}, "to"),
        ({"from_date": Date(year=2026, month=3, day=2)}, "to"),
        ({"from_date": Date(year=2025, month=2, day=28)}, "to"),
        ({"from_date": Date(year=1, month=1, day=1), "to_date": Date(year=1, month=1, day=1)}, "from"),
        ({"from_date": Date(year=9999, month=12, day=31), "to_date": Date(year=9999, month=12, day=31)}, "from"),
        ({"to_date": Date(year=1, month=1, day=1)}, "to"),
        ({"from_date": Date(year=2026, month=3, day=1), "to_date": Date(year=2027, month=3, day=2)}, "to"),
        ({"at_least_revision": "x"}, "at_least_revision"),
    ],
)
async def test_a_bad_field_is_named(doctors: DoctorClinic, fields: dict[str, Any], field: str) -> None:
    doctor = a_doctor()
    await seed(doctors.database, [doctor], [])
    assert fields_of(await refusal(ask(doctors, **({"doctor_id": doctor.doctor_id} | fields)))) == [field]
