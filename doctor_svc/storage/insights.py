"""What is known about doctors beyond their free times, from PostgreSQL."""

from datetime import datetime

from chassis.db import Database
from doctor_svc.domain.doctor_stats import Tally
from doctor_svc.domain.matching import PRIOR_COUNT, PRIOR_RATING
from doctor_svc.domain.recommending import Known
from doctor_svc.domain.specialties import specialty_key
from doctor_svc.storage.rows import profile_of
from doctor_svc.storage.sql import INSIGHTS
from kernel.appointment_status import AppointmentStatus

_FIND = INSIGHTS["find_recommendable"]


class StoredInsights:
    """app.ports.Insights."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def recommendable(self, specialty: str, patient_id: str | None, limit: int) -> list[Known]:
        """Verified, active doctors with the patient's visits."""
        key = specialty_key(specialty)
        params = {
            "specialty_keys": [key] if key else [],
            "patient_id": patient_id,
            "most": limit,
            "prior_rating": PRIOR_RATING,
            "prior_count": PRIOR_COUNT,
        }
        rows = await self._database.all(_FIND, params)
        return [Known(profile_of(row), row["previous_visits"]) for row in rows]

    async def tallies(self, doctor_id: str, start: datetime, end: datetime) -> dict[AppointmentStatus, Tally]:
        """The doctor's visits of that time, by state."""
        params = {"doctor_id": doctor_id, "start": start, "end": end}
        return {
            AppointmentStatus(row["status"]): Tally(
                row["visits"], row["occupied"], row["returning_visits"], row["continued_visits"]
            )
            for row in await self._database.all(INSIGHTS["tally_visits"], params)
        }
