"""A doctor's numbers are counted through indexes."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from chassis.db import Database
from chassis.sql import Query
from doctor_svc.storage.sql import INSIGHTS
from doctor_svc.storage.visits import StoredVisits
from kernel.appointment_status import AppointmentStatus
from tests.fix_doctors import a_visit

NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


async def test_visits_are_found_by_doctor_and_time_and_earlier_ones_by_patient(doctor_db: Database) -> None:
    doctors, patients = [str(uuid4()) for _ in range(50)], [str(uuid4()) for _ in range(100)]
    visits = [
        a_visit(
            doctors[number % 50],
            NINE + timedelta(hours=number),
            patient_id=patients[number % 100],
            status=AppointmentStatus.COMPLETED,
        )
        for number in range(3000)
    ]
    await StoredVisits(doctor_db).keep(sorted(visits, key=lambda visit: visit.appointment_id), 1)
    await doctor_db.execute(Query("analyze", "ANALYZE"))
    params = {"doctor_id": doctors[0], "start": NINE, "end": NINE + timedelta(days=30)}
    rows = await doctor_db.all(Query("explain", f"EXPLAIN {INSIGHTS['tally_visits'].text}"), params)
    found = "\n".join(row["QUERY PLAN"] for row in rows)
    assert "Seq Scan" not in found, found
    assert "visit_by_doctor" in found, found
    assert "visit_completed" in found, found
