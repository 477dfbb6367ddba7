"""What stands in the record of accesses of a database, as a test reads it."""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row

from chassis.access_audit import auditing_accesses
from chassis.chain_walk import Fault


@dataclass(frozen=True)
class AccessRecord:
    """The record in one database, read behind the service's back."""

    service: str
    url: str

    async def rows(self, after: int = 0) -> list[dict[str, Any]]:
        """The rows with greater numbers, the oldest first; ids as texts."""
        statement = """
            SELECT number, method, action, actor_subject, actor_role, acted_by, purpose, reason, entity,
                   entity_ids::text[], patient_ids::text[], query, outcome, outcome_reason, traceparent
            FROM access WHERE number > %s ORDER BY number
        """
        async with await psycopg.AsyncConnection.connect(self.url, row_factory=dict_row) as connection:
            return await (await connection.execute(statement, (after,))).fetchall()

    async def last(self) -> int:
        """The number of the newest row; 0 without any."""
        return max([row["number"] for row in await self.rows()], default=0)

    async def select(self, statement: str) -> list[tuple[Any, ...]]:
        """The rows of a statement of the test's own."""
        async with await psycopg.AsyncConnection.connect(self.url) as connection:
            return await (await connection.execute(statement)).fetchall()  # type: ignore[arg-type]

    async def count(self, table: str) -> int:
        """How many rows a table has."""
        [(found,)] = await self.select(f"SELECT count(*) FROM {table}")
        return int(found)

    async def faults(self) -> list[Fault]:
        """What an audit of the chain finds."""
        async with auditing_accesses(self.service, self.url) as audit:
            return [fault async for fault in audit.faults()]

    async def tamper(self, statement: str) -> None:
        """Changes something as a superuser whom no trigger stops."""
        async with await psycopg.AsyncConnection.connect(self.url) as connection:
            await connection.execute("SET session_replication_role = replica")
            cursor = await connection.execute(statement)  # type: ignore[arg-type]  # a test's own text
            assert cursor.rowcount, f"nothing was changed by {statement}"
