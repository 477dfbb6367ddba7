"""Diaries on PostgreSQL: one statement reads what several doctors and one patient have claimed."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from appointment_svc.domain.diary import Claim, Diary
from chassis.clock import Clock, lead_of, system_clock
from chassis.db import Database
from chassis.sql import Queries
from kernel.appointment_types import AppointmentType
from kernel.revision import token_of

QUERIES = Queries(Path(__file__).with_name("diaries.sql"))


@dataclass(frozen=True, slots=True)
class PostgresDiaries:
    """Implements app.ports.Diaries. `clock` only says how far the clinic's time is moved from the real one."""

    database: Database
    clock: Clock = system_clock

    async def read(
        self, doctor_ids: Sequence[str], patient_id: str | None, earliest: datetime, latest: datetime
    ) -> Diary:
        """See the port."""
        rows = await self.database.all(
            QUERIES["read_diary"],
            {
                "doctor_ids": list(doctor_ids),
                "patient_id": patient_id,
                "earliest": earliest,
                "latest": latest,
                "lead": lead_of(self.clock),
            },
        )
        doctors: dict[str, list[Claim]] = defaultdict(list)
        patient: list[Claim] = []
        for row in rows:
            (patient if row["owner"] == "patient" else doctors[row["owner_id"]]).append(_claim(row))
        return Diary({doctor: tuple(claims) for doctor, claims in doctors.items()}, tuple(patient))

    async def newest_change(self, doctor_ids: Sequence[str], earliest: datetime, latest: datetime) -> str:
        """See the port."""
        row = await self.database.one(
            QUERIES["newest_change"], {"doctor_ids": list(doctor_ids), "earliest": earliest, "latest": latest}
        )
        return token_of(row["appointment_id"], row["version"]) if row else ""


def _claim(row: dict[str, Any]) -> Claim:
    return Claim(
        appointment_id=row["appointment_id"],
        doctor_id=row["doctor_id"],
        patient_id=row["patient_id"],
        kind=AppointmentType(row["kind"]),
        start=row["start_time"].astimezone(UTC),
        end=row["end_time"].astimezone(UTC),
        seat=row["seat"],
        capacity=row["capacity"],
        day=row["day"],
        ordinal=row["day_ordinal"],
    )
