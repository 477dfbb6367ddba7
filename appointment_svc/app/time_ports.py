"""What the use cases need to know and do about time that passes, as promises."""

from datetime import datetime
from typing import Protocol

from appointment_svc.domain.timeouts import Timeout


class Holds(Protocol):
    """What the ledger knows of holds."""

    async def moment(self) -> datetime:
        """The instant now by the one clock that says whether a hold has run out: that of the database."""
        ...


class Timeouts(Protocol):
    """What happens to appointments when nobody does anything."""

    async def settle(self, which: Timeout, now: datetime, most: int) -> int:
        """Settles up to `most` appointments whose time has come by `now`, in one transaction; tells how many.

        One that somebody else has in hand is left to them.
        """
        ...
