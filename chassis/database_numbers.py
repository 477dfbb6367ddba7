"""What PostgreSQL itself counts of a service's database, asked now and then and shown among the metrics."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from chassis.background import periodically
from chassis.db import Database
from chassis.metrics import REGISTRY
from chassis.sql import Queries

_QUERY = Queries(Path(__file__).with_name("database_numbers.sql"))["database_numbers"]
# One statement of a millisecond; a scrape asks nobody.
_EVERY_SECONDS = 10.0


class DatabaseNumbers(Collector):
    """Shows the last answer; every replica shows the same. `run` is to be kept running."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._last: dict[str, Any] | None = None

    async def run(self) -> None:
        """Asks for ever."""
        REGISTRY.register(self)
        try:
            await periodically(_EVERY_SECONDS, self._ask)
        finally:
            # What was true before the database went away is not shown as if it still were.
            REGISTRY.unregister(self)
            self._last = None

    async def _ask(self) -> None:
        self._last = await self._database.one(_QUERY)

    def collect(self) -> Iterable[Metric]:
        """The families; without samples before the first answer."""
        deadlocks = CounterMetricFamily(
            "telemed_postgres_deadlocks",
            "Deadlocks that PostgreSQL has broken in this database.",
            labels=["db_namespace"],
        )
        transactions = CounterMetricFamily(
            "telemed_postgres_transactions",
            "Transactions of this database, by their end.",
            labels=["db_namespace", "outcome"],
        )
        connections = GaugeMetricFamily(
            "telemed_postgres_connections",
            "Connections of all clients to this database, by what they do.",
            labels=["db_namespace", "state"],
        )
        oldest = GaugeMetricFamily(
            "telemed_postgres_oldest_transaction_seconds",
            "The age of the oldest transaction under way in this database.",
            labels=["db_namespace"],
        )
        if (last := self._last) is not None:
            name = self._database.name
            deadlocks.add_metric([name], last["deadlocks"])
            for outcome in ("committed", "rolled_back"):
                transactions.add_metric([name, outcome], last[outcome])
            for state in ("active", "idle", "idle_in_transaction"):
                connections.add_metric([name, state], last[state])
            oldest.add_metric([name], last["oldest_seconds"])
        return [deadlocks, transactions, connections, oldest]
