"""Timeouts on PostgreSQL: each batch is one statement and one transaction, shared out among replicas by row locks."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from appointment_svc.domain.timeouts import Timeout
from appointment_svc.storage import numbers
from appointment_svc.storage.holds import CLOCK
from chassis.db import Database
from chassis.decisions import decided
from chassis.signals import Signal
from chassis.sql import Queries

QUERIES = Queries(Path(__file__).with_name("timeouts.sql"))


@dataclass(frozen=True, slots=True)
class PostgresTimeouts:
    """Implements app.time_ports.Timeouts. `committed` wakes the sequencer after each batch."""

    database: Database
    committed: Signal

    async def settle(self, which: Timeout, now: datetime, most: int) -> int:
        """See the port."""
        row = await self.database.one(
            QUERIES[which.name],
            {
                "due": now - which.grace,
                "most": most,
                "becomes": which.becomes.value,
                "reason": which.reason,
                "now": now,
                "actor": CLOCK,
            },
        )
        if row is None:
            return 0
        self.committed.fire()
        settled: int = row["settled"]
        numbers.settled.labels(which.name).inc(settled)
        numbers.changes.labels(which.becomes.value, which.status.value).inc(settled)
        if settled:
            decided("timeout", which.name, count=settled)
        return settled
