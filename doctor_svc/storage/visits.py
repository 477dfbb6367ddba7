"""The copy of the visits in PostgreSQL, kept together with how far in the feed it reaches."""

from collections.abc import Sequence

from chassis.db import Database
from doctor_svc.domain.visits import Visit
from doctor_svc.storage.rows import visit_columns
from doctor_svc.storage.sql import QUERIES
from kernel.revision import ChangeOf, FeedPosition


class StoredVisits:
    """app.ports.VisitCopy."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def cursor(self) -> int:
        """The number of the last change held."""
        row = await self._database.one(QUERIES["read_cursor"])
        if row is None:
            raise LookupError("the feed cursor has no row")
        number: int = row["number"]
        return number

    async def keep(self, visits: Sequence[Visit], number: int) -> None:
        """Keeps visits and the cursor in one statement."""
        await self._database.execute(QUERIES["keep_visits"], visit_columns(visits) | {"number": number})

    async def holds(self, revision: FeedPosition | ChangeOf) -> bool:
        """Whether the copy is at least that new."""
        if isinstance(revision, FeedPosition):
            row = await self._database.one(QUERIES["holds_number"], {"number": revision.number})
        else:
            params = {"appointment_id": revision.appointment_id, "version": revision.version}
            row = await self._database.one(QUERIES["holds_version"], params)
        return row is not None and row["holds"]
