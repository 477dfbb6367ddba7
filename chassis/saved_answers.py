"""The saved answers by which a repeated request is known: how long they are kept, and the work that forgets them."""

from dataclasses import dataclass
from datetime import timedelta

from chassis.background import periodically
from chassis.clock import Clock
from chassis.db import Database
from chassis.sql import Query

# A request_id is good for at least a day by contract; a week covers a weekend's outage of a caller.
KEPT_FOR = timedelta(days=7)
_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Forgetting:
    """Forgets what is older than KEPT_FOR by the clock that the answers were saved by.

    `statement` deletes the answers saved before %(before)s. Replicas may run it at once: a row goes only once.
    """

    database: Database
    statement: Query
    clock: Clock

    async def once(self) -> int:
        """Forgets what is too old now, and tells how many answers that was."""
        return await self.database.execute(self.statement, {"before": self.clock() - KEPT_FOR})

    async def run(self) -> None:
        """Forgets every hour, for ever."""
        await periodically(_HOUR, self.once)
