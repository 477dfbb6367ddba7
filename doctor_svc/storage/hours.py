"""Rules of availability and the exceptions to them in PostgreSQL: read page by page, and changed in transactions."""

from collections.abc import Sequence
from datetime import date, datetime

from chassis.db import Database, Session
from doctor_svc.domain.availability import AvailabilityRule
from doctor_svc.domain.overrides import BookedVisit, Override, Stretch
from doctor_svc.storage.hour_rows import override_of, override_row, rule_of, rule_row
from doctor_svc.storage.sql import HOURS
from kernel.appointment_types import AppointmentType


class StoredHours:
    """app.ports.Hours."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def rules(self, doctor_id: str, after: str | None, limit: int) -> list[AvailabilityRule] | None:
        """Some rules of a doctor, or None without one."""
        row = await self._database.one(HOURS["page_rules"], {"doctor_id": doctor_id, "after": after, "most": limit})
        return None if row is None else [rule_of(columns) for columns in row["rules"] or ()]

    async def overrides(
        self, doctor_id: str, not_over_before: date | None, after: tuple[date, str] | None, limit: int
    ) -> list[Override] | None:
        """Some overrides of a doctor, or None without one."""
        after_day, after_id = after or (None, None)
        params = {
            "doctor_id": doctor_id,
            "from": not_over_before,
            "after_day": after_day,
            "after_id": after_id,
            "most": limit,
        }
        row = await self._database.one(HOURS["page_overrides"], params)
        return None if row is None else [override_of(columns) for columns in row["overrides"] or ()]


class HoursUnit:
    """The part of app.ports.Unit that is about hours."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def lock_doctor(self, doctor_id: str) -> bool:
        """Locks the doctor's row until the end of the transaction."""
        return await self._session.execute(HOURS["lock_doctor"], {"doctor_id": doctor_id}) == 1

    async def rules_of(self, doctor_id: str, kind: AppointmentType) -> list[AvailabilityRule]:
        """The doctor's rules for a kind."""
        rows = await self._session.all(HOURS["list_rules"], {"doctor_id": doctor_id, "kind": kind.value})
        return [rule_of(row["rule"]) for row in rows]

    async def rule(self, doctor_id: str, rule_id: str) -> AvailabilityRule | None:
        """One rule, or None."""
        row = await self._session.one(HOURS["get_rule"], {"doctor_id": doctor_id, "rule_id": rule_id})
        return rule_of(row["rule"]) if row else None

    async def add_rule(self, rule: AvailabilityRule, now: datetime) -> None:
        """Adds a rule."""
        await self._session.execute(HOURS["insert_rule"], rule_row(rule) | {"create_time": now})

    async def put_rule(self, rule: AvailabilityRule) -> None:
        """Stores a rule as changed."""
        await self._session.execute(HOURS["put_rule"], rule_row(rule))

    async def delete_rule(self, rule_id: str) -> None:
        """Deletes a rule."""
        await self._session.execute(HOURS["delete_rule"], {"rule_id": rule_id})

    async def zone_name_of(self, doctor_id: str) -> str | None:
        """The doctor's zone, or None."""
        row = await self._session.one(HOURS["get_zone"], {"doctor_id": doctor_id})
        return row["timezone"] if row else None

    async def add_override(self, override: Override, now: datetime) -> None:
        """Adds an override."""
        await self._session.execute(HOURS["insert_override"], override_row(override, now))

    async def delete_override(self, doctor_id: str, override_id: str) -> bool:
        """Deletes an override."""
        params = {"doctor_id": doctor_id, "override_id": override_id}
        return await self._session.execute(HOURS["delete_override"], params) == 1

    async def booked_within(
        self, doctor_id: str, stretches: Sequence[Stretch], now: datetime, limit: int
    ) -> tuple[list[BookedVisit], int]:
        """The booked visits that overlap a stretch."""
        if not stretches:
            return [], 0
        starts, ends = [start for start, _ in stretches], [end for _, end in stretches]
        params = {
            "doctor_id": doctor_id,
            "starts": starts,
            "ends": ends,
            "earliest": min(starts),
            "latest": max(ends),
            "now": now,
            "most": limit,
        }
        rows = await self._session.all(HOURS["booked_within"], params)
        visits = [
            BookedVisit(
                row["appointment_id"],
                row["patient_id"],
                AppointmentType(row["kind"]),
                row["start_time"],
                row["end_time"],
            )
            for row in rows
        ]
        return visits, rows[0]["found"] if rows else 0
