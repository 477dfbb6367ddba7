"""Does to appointments what time alone does to them: holds run out, visits are missed, visits are over."""

from dataclasses import dataclass

from appointment_svc.app.time_ports import Holds, Timeouts
from appointment_svc.domain.timeouts import Timeout

# So many appointments a transaction: it frees their times soon and holds up nobody for long.
_BATCH = 200


@dataclass(frozen=True, slots=True)
class LetTimePass:
    """The use case, for one row of the table of timeouts. Every replica runs it; each change happens once."""

    timeouts: Timeouts
    holds: Holds
    timeout: Timeout
    batch: int = _BATCH

    async def __call__(self) -> int:
        """Settles everyone for whom the time has come, by the database's clock, and tells how many they were."""
        total = 0
        while True:
            settled = await self.timeouts.settle(self.timeout, await self.holds.moment(), self.batch)
            total += settled
            if settled < self.batch:
                return total
