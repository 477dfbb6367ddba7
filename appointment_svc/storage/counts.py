"""What is open now, counted by PostgreSQL, and the turn to count what takes longer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from appointment_svc.app.count_now import Counts, LastAudit
from appointment_svc.storage.statistics import PostgresStatistics
from chassis.db import Database
from chassis.exclusive import exclusively
from chassis.sql import Queries

_QUERIES = Queries(Path(__file__).with_name("counts.sql"))
# A sequencer that has stopped leaves more and more behind: beyond this it does not matter how many.
_MOST_COUNTED = 10_000
_NAME = "count the clinic"


@dataclass(frozen=True, slots=True)
class PostgresCounts:
    """Implements app.count_now.Counting."""

    database: Database

    async def now(self, moment: datetime) -> Counts:
        """See the port."""
        row = await self.database.one(_QUERIES["count_now"], {"now": moment, "most": _MOST_COUNTED})
        assert row is not None, "a query of sub-queries answers one row"  # noqa: S101 - for the type checker
        return Counts(**row)

    async def last_audit(self) -> LastAudit | None:
        """See the port."""
        row = await self.database.one(_QUERIES["last_audit"])
        return LastAudit(**row) if row else None


@dataclass(frozen=True, slots=True)
class PostgresTurns:
    """Implements app.count_month.Turns."""

    url: str

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[PostgresStatistics | None]:
        """See the port."""
        async with exclusively(self.url, _NAME) as session:
            yield PostgresStatistics(session) if session else None
