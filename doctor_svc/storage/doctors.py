"""Profiles in PostgreSQL, and many of them at once for whoever sets up a clinic."""

from collections.abc import Sequence
from datetime import datetime

from chassis.db import Database, Session
from doctor_svc.domain.availability import AvailabilityRule
from doctor_svc.domain.doctor import Doctor, PrivateDetails
from doctor_svc.storage.hour_rows import rule_row
from doctor_svc.storage.profiles import doctor_of, doctor_row
from doctor_svc.storage.sql import HOURS, PROFILES

_GET = PROFILES["get_doctor"]
_INSERT_DOCTOR = PROFILES["insert_doctor"]
_INSERT_RULE = HOURS["insert_rule"]


class StoredDoctors:
    """app.ports.Doctors."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, doctor_id: str) -> Doctor | None:
        """The doctor of that id, or None."""
        row = await self._database.one(_GET, {"doctor_id": doctor_id})
        return doctor_of(row) if row else None


async def import_doctors(session: Session, doctors: Sequence[tuple[Doctor, PrivateDetails]]) -> None:
    """Adds many doctors as they are, verified and rated or not; one whose e-mail address is known is passed over."""
    await session.execute_many(_INSERT_DOCTOR, [doctor_row(doctor, private) for doctor, private in doctors])


async def import_rules(session: Session, rules: Sequence[AvailabilityRule], now: datetime) -> None:
    """Adds many rules of doctors that are there already, without asking whether they overlap."""
    await session.execute_many(_INSERT_RULE, [rule_row(rule) | {"create_time": now} for rule in rules])
