"""Doctors with their hours, busy times and history; what changes seldom is read anew only when it has changed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from chassis.db import Database
from chassis.sql import Query
from doctor_svc.domain.demands import Demands
from doctor_svc.domain.matching import PRIOR_COUNT, PRIOR_RATING
from doctor_svc.domain.schedule import Schedule
from doctor_svc.domain.specialties import specialty_key
from doctor_svc.domain.window import Window
from doctor_svc.storage.practices import LocalPractices, Practices, read_practice
from doctor_svc.storage.rows import Row, busy_of
from doctor_svc.storage.sql import SCHEDULES


def _put_together(name: str) -> Query:
    parts = {part: SCHEDULES[part].text for part in ("practice", "busy", "previous_visits")}
    return Query(name, SCHEDULES[name].text.format_map(parts))


GET_SCHEDULE = _put_together("get_schedule")
GET_SCHEDULES = _put_together("get_schedules")
GET_VISITS = _put_together("get_visits")
FIND_SCHEDULES = _put_together("find_schedules")


class StoredSchedules:
    """app.ports.Schedules. Without `practices` to look in, each doctor is read anew."""

    def __init__(self, database: Database, practices: Practices | None = None) -> None:
        self._database = database
        self._practices = practices or LocalPractices(ttl_seconds=0)

    async def of_doctor(
        self, doctor_id: str, patient_id: str | None, stretch: Window, now: datetime
    ) -> Schedule | None:
        """One doctor, or None."""
        held = (await self._practices.find([doctor_id])).get(doctor_id)
        params = {"doctor_id": doctor_id, "known": held.version if held else None}
        row = await self._database.one(GET_SCHEDULE, params | _visits(patient_id, stretch, now))
        if row is None:
            return None
        if held is None or row["practice"] is not None:
            held = read_practice(row["version"], row["practice"])
            await self._practices.keep([held])
        return _with_visits(held.schedule, row)

    async def who_meet(
        self,
        demands: Demands,
        patient_id: str | None,
        stretch: Window,
        limit: int,
        *,
        now: datetime,
        everyone: bool = False,
    ) -> list[Schedule]:
        """The doctors who meet the demands, or everyone with those of the specialty first.

        Doctors who have changed since they were last read take a second statement; all that is told of one doctor
        is of one moment.
        """
        key = specialty_key(demands.specialty)
        visits = _visits(patient_id, stretch, now)
        params = {
            "specialty_keys": [key] if key else [],
            "language": demands.language.lower(),
            "licences": list(demands.licences),
            "min_rating": demands.min_rating,
            "everyone": everyone,
            "most": limit,
            "prior_rating": PRIOR_RATING,
            "prior_count": PRIOR_COUNT,
        }
        return await self._filled(await self._database.all(FIND_SCHEDULES, params | visits), visits)

    async def of_doctors(self, doctor_ids: Sequence[str], stretch: Window, now: datetime) -> list[Schedule]:
        """Those of the doctors who are there; who has changed takes a second statement, as in who_meet."""
        visits = _visits(None, stretch, now)
        rows = await self._database.all(GET_VISITS, {"doctor_ids": list(doctor_ids)} | visits)
        return await self._filled(rows, visits)

    async def _filled(self, rows: Sequence[Row], visits: dict[str, object]) -> list[Schedule]:
        """The schedules of rows of visits, in their order; those not held in that version are read."""
        held = await self._practices.find([row["doctor_id"] for row in rows])
        found = {
            row["doctor_id"]: _with_visits(known.schedule, row)
            for row in rows
            if (known := held.get(row["doctor_id"])) is not None and known.version == row["version"]
        }
        changed = [row["doctor_id"] for row in rows if row["doctor_id"] not in found]
        if changed:
            found |= await self._read(changed, visits)
        return [found[row["doctor_id"]] for row in rows if row["doctor_id"] in found]

    async def _read(self, doctor_ids: Sequence[str], visits: dict[str, object]) -> dict[str, Schedule]:
        rows = await self._database.all(GET_SCHEDULES, {"doctor_ids": list(doctor_ids)} | visits)
        practices = [read_practice(row["version"], row["practice"]) for row in rows]
        await self._practices.keep(practices)
        pairs = zip(practices, rows, strict=True)
        return {practice.doctor_id: _with_visits(practice.schedule, row) for practice, row in pairs}


def _visits(patient_id: str | None, stretch: Window, now: datetime) -> dict[str, object]:
    """The parameters that say which visits are wanted."""
    return {"patient_id": patient_id, "earliest": stretch.earliest, "latest": stretch.latest, "now": now}


def _with_visits(schedule: Schedule, row: Row) -> Schedule:
    return replace(schedule, busy=busy_of(row), previous_visits=row["previous_visits"])
