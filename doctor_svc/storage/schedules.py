"""Doctors with their hours, busy times and history, each read in one statement."""

from datetime import datetime

from chassis.db import Database
from doctor_svc.domain.demands import Demands
from doctor_svc.domain.matching import PRIOR_COUNT, PRIOR_RATING
from doctor_svc.domain.schedule import Schedule
from doctor_svc.domain.specialties import specialty_key
from doctor_svc.domain.window import Window
from doctor_svc.storage.rows import schedule_of
from doctor_svc.storage.sql import QUERIES
from kernel.appointment_types import AppointmentType

_GET = QUERIES["get_schedule"]
_FIND = QUERIES["find_schedules"]


class StoredSchedules:
    """app.ports.Schedules."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_doctor(
        self, doctor_id: str, kind: AppointmentType | None, patient_id: str | None, stretch: Window, now: datetime
    ) -> Schedule | None:
        """One doctor, or None."""
        params = {
            "doctor_id": doctor_id,
            "patient_id": patient_id,
            "kinds": None if kind is None else _kinds(kind),
            "earliest": stretch.earliest,
            "latest": stretch.latest,
            "now": now,
        }
        row = await self._database.one(_GET, params)
        return schedule_of(row) if row else None

    async def who_meet(
        self,
        demands: Demands,
        kind: AppointmentType,
        patient_id: str | None,
        stretch: Window,
        limit: int,
        *,
        now: datetime,
        everyone: bool = False,
    ) -> list[Schedule]:
        """The doctors who meet the demands, or everyone with those of the specialty first."""
        key = specialty_key(demands.specialty)
        params = {
            "specialty_keys": [key] if key else [],
            "language": demands.language.lower(),
            "licences": list(demands.licences),
            "min_rating": demands.min_rating,
            "everyone": everyone,
            "kinds": _kinds(kind),
            "patient_id": patient_id,
            "earliest": stretch.earliest,
            "latest": stretch.latest,
            "now": now,
            "most": limit,
            "prior_rating": PRIOR_RATING,
            "prior_count": PRIOR_COUNT,
        }
        return [schedule_of(row) for row in await self._database.all(_FIND, params)]


def _kinds(kind: AppointmentType) -> list[str]:
    """The kinds whose rules can matter for one: its own, and the general hours that it may borrow."""
    return list(dict.fromkeys((kind.value, AppointmentType.GENERAL_CONSULTATION.value)))
