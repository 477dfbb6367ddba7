"""The demo clinic: doctors with their hours, patients with their past, and visits to come."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from appointment_svc.storage.appointments import PostgresAppointments
from appointment_svc.storage.holds import PostgresHolds
from appointment_svc.storage.imports import import_appointments
from chassis.db import Database
from chassis.signals import Signal
from chassis.sql import Query
from doctor_svc.storage.doctors import StoredDoctors, import_doctors, import_rules
from stack.demo_doctors import CARDIOLOGIST, ON_CALL, DemoDoctor, roster
from stack.demo_patients import AWAITED_PATIENT, FIRST_PATIENT, PATIENTS
from stack.demo_visits import OPEN_VISIT, visits_of

_ANY_DOCTOR = Query("any_doctor", "SELECT FROM doctor LIMIT 1")
_CONNECTIONS = 2


@dataclass(frozen=True, slots=True)
class DemoSummary:
    """What to show of the demo clinic.

    The first patient has completed three visits with the cardiologist and has nothing booked. The open visit is
    confirmed, and its video session could be joined when the clinic was made: `open_visit_start` is at most ten
    minutes later (aware). `added_visits` is 0 when the clinic was there already.
    """

    first_patient_id: str
    cardiologist_id: str
    cardiologist_name: str
    cardiologist_timezone: str
    open_visit_id: str
    open_visit_patient_id: str
    open_visit_doctor_id: str
    open_visit_start: datetime
    doctors: int
    patients: int
    added_visits: int


async def seed(urls: Mapping[str, str], now: datetime) -> DemoSummary | None:
    """Fill the databases of `doctor` and `appointment` with the demo clinic, as it would be at `now` (aware).

    A clinic that is there already stays as it is, and one that was left half made is finished; so this can run at
    every start, beside running services too. None, and nothing done, when there are doctors who are not of the demo.
    """
    async with _opened(urls["doctor"]) as doctors, _opened(urls["appointment"]) as ledger:
        staff = await _staff(doctors, now)
        if staff is None:
            return None
        added = await _visits(ledger, staff, now)
        open_visit = await _appointments(ledger).get(OPEN_VISIT)
    if open_visit is None:
        raise LookupError("the ledger has the demo's visits, all but the open one")
    cardiologist = next(doctor for doctor in staff if doctor.id == CARDIOLOGIST)
    return DemoSummary(
        first_patient_id=FIRST_PATIENT,
        cardiologist_id=CARDIOLOGIST,
        cardiologist_name=cardiologist.name,
        cardiologist_timezone=cardiologist.doctor.profile.timezone,
        open_visit_id=OPEN_VISIT,
        open_visit_patient_id=AWAITED_PATIENT,
        open_visit_doctor_id=ON_CALL,
        open_visit_start=open_visit.start,
        doctors=len(staff),
        patients=PATIENTS,
        added_visits=added,
    )


async def _staff(database: Database, now: datetime) -> tuple[DemoDoctor, ...] | None:
    """The doctors, stored all at once; those of a clinic that opened earlier keep the hours that they had then."""
    known = await StoredDoctors(database).get(CARDIOLOGIST)
    if known is not None:
        return roster(known.create_time)
    if await database.one(_ANY_DOCTOR) is not None:
        return None
    staff = roster(now)
    async with database.transaction() as session:
        await import_doctors(session, [(doctor.doctor, doctor.private) for doctor in staff])
        await import_rules(session, [rule for doctor in staff for rule in doctor.rules], now)
    return staff


async def _visits(database: Database, staff: tuple[DemoDoctor, ...], now: datetime) -> int:
    """The visits, stored in one transaction, so that the open one stands for all."""
    if await _appointments(database).get(OPEN_VISIT) is not None:
        return 0
    visits = visits_of(staff, now)
    return await import_appointments(database, visits, now, batch_size=len(visits))


def _appointments(database: Database) -> PostgresAppointments:
    committed = Signal()
    return PostgresAppointments(database, committed, PostgresHolds(database, committed))


@asynccontextmanager
async def _opened(url: str) -> AsyncIterator[Database]:
    database = Database(url, size=_CONNECTIONS)
    await database.open()
    try:
        yield database
    finally:
        await database.close()
