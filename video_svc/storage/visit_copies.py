"""The copy of the appointments in PostgreSQL, and the cursor that says how far it reaches."""

from collections.abc import Sequence

from chassis.db import Database
from video_svc.domain.visit import Visit
from video_svc.storage.sql import COPIES

_GET_CURSOR = COPIES["get_cursor"]
_ADVANCE_CURSOR = COPIES["advance_cursor"]
_KEEP_VISITS = COPIES["keep_visits"]
_FEED = "appointments"


class PostgresVisitCopies:
    """Keeps the promises of video_svc.app.ports.VisitCopies."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def cursor(self) -> str:
        """The revision of the last change that was kept; empty before the first."""
        row = await self._database.one(_GET_CURSOR, {"feed": _FEED})
        return str(row["revision"]) if row else ""

    async def keep(self, visits: Sequence[Visit], revision: int) -> None:
        """Keeps visits (at most one version of each) and the cursor in one transaction."""
        async with self._database.transaction() as transaction:
            # The cursor's row first: it makes the replicas of this service take turns, so that no two batches can
            # wait for each other's sessions.
            await transaction.execute(_ADVANCE_CURSOR, {"feed": _FEED, "revision": revision})
            await transaction.execute(_KEEP_VISITS, _columns(visits))


def _columns(visits: Sequence[Visit]) -> dict[str, object]:
    return {
        "appointment_ids": [visit.appointment_id for visit in visits],
        "patient_ids": [visit.patient_id for visit in visits],
        "doctor_ids": [visit.doctor_id for visit in visits],
        "statuses": [visit.status.value for visit in visits],
        "versions": [visit.version for visit in visits],
        "start_times": [visit.start for visit in visits],
        "end_times": [visit.end for visit in visits],
    }
