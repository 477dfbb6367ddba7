"""The hot statements and the indexes that they must be able to use."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from chassis.db import Database
from chassis.sql import Query
from doctor_svc.storage.schedules import FIND_SCHEDULES, GET_SCHEDULE, GET_SCHEDULES
from doctor_svc.storage.visits import StoredVisits
from kernel.appointment_status import AppointmentStatus
from tests.fix_doctors import WORKING_DAYS, a_doctor, a_rule, a_visit, seed

NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
STRETCH = {"earliest": NINE - timedelta(days=8), "latest": NINE + timedelta(days=8), "now": NINE}
PATIENTS = [str(uuid4()) for _ in range(20)]


@pytest.fixture
async def busy_clinic(doctor_db: Database) -> tuple[Database, str]:
    """A clinic of 300 doctors with hours, bookings and history, and one of its doctors."""
    chance = random.Random(3)  # noqa: S311 - makes data, guards nothing
    doctors = [a_doctor(specialty=chance.choice(("Cardiology", "Dermatology", "Neurology"))) for _ in range(300)]
    await seed(doctor_db, doctors, [a_rule(doctor, day) for doctor in doctors for day in WORKING_DAYS])
    visits = [
        a_visit(
            doctor.doctor_id,
            NINE + timedelta(days=chance.randrange(-60, 60)),
            patient_id=chance.choice(PATIENTS),
            status=chance.choice((AppointmentStatus.CONFIRMED, AppointmentStatus.COMPLETED)),
        )
        for doctor in doctors
        for _ in range(10)
    ]
    await StoredVisits(doctor_db).keep(sorted(visits, key=lambda visit: visit.appointment_id), 1)
    await doctor_db.execute(Query("analyze", "ANALYZE"))
    return doctor_db, doctors[0].doctor_id


async def plan(database: Database, query: Query, params: dict[str, Any]) -> str:
    """The plan of a statement where no table is read from end to end unless there is no other way."""
    async with database.transaction() as session:
        await session.execute(Query("no_seqscan", "SET LOCAL enable_seqscan = off"))
        rows = await session.all(Query("explain", f"EXPLAIN {query.text}"), params)
    return "\n".join(row["QUERY PLAN"] for row in rows)


async def test_a_doctors_schedule_is_read_through_indexes(busy_clinic: tuple[Database, str]) -> None:
    database, doctor_id = busy_clinic
    params = {"doctor_id": doctor_id, "doctor_ids": [doctor_id], "known": None, "patient_id": PATIENTS[0], **STRETCH}
    for query in (GET_SCHEDULE, GET_SCHEDULES):
        found = await plan(database, query, params)
        assert "Seq Scan" not in found, found
        for index in (
            "schedule_version_pkey",
            "doctor_pkey",
            "availability_rule_by_doctor",
            "availability_override_by_doctor",
            "visit_occupying",
            "visit_completed",
        ):
            assert index in found, found


@pytest.mark.parametrize(
    ("specialty", "doctors_by"),
    # The index that knows specialties and licences together; without a specialty any way to all doctors will do.
    [(["cardiology"], "doctor_by_attributes"), ([], "doctor")],
)
async def test_the_schedules_of_a_specialty_are_read_through_indexes(
    busy_clinic: tuple[Database, str], specialty: list[str], doctors_by: str
) -> None:
    database, _ = busy_clinic
    params = {
        "specialty_keys": specialty,
        "language": "en",
        "licences": ["US-NY", "US"],
        "min_rating": 3.5,
        "everyone": False,
        "patient_id": PATIENTS[0],
        "most": 200,
        "prior_rating": 4.0,
        "prior_count": 5,
        **STRETCH,
    }
    found = await plan(database, FIND_SCHEDULES, params)
    assert "Seq Scan" not in found, found
    for index in (doctors_by, "visit_occupying", "visit_completed"):
        assert index in found, found
