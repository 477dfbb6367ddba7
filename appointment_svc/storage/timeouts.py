"""Timeouts on PostgreSQL: each batch is one statement and one transaction, shared out among replicas by row locks."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from prometheus_client import Counter

from appointment_svc.domain.timeouts import Timeout
from appointment_svc.storage.holds import CLOCK
from chassis.db import Database
from chassis.decisions import decided
from chassis.metrics import REGISTRY
from chassis.signals import Signal
from chassis.sql import Queries

_settled = Counter(
    "telemed_timeouts_settled",
    "Appointments that became something else by time alone, by the row of the table of timeouts.",
    ["timeout"],
    registry=REGISTRY,
)
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
        _settled.labels(which.name).inc(settled)
        if settled:
            decided("timeout", which.name, count=settled)
        return settled
