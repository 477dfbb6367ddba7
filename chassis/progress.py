"""How far the copy of a feed has come, and whether it is good enough to answer from."""

import time

# A source that is away must not keep a process out of service that holds an older copy.
_PATIENCE_SECONDS = 5.0


class NotCaughtUpError(Exception):
    """The copy lacks changes that were there before this process started."""


class Progress:
    """Positions count from 1; 0 means none yet."""

    def __init__(self) -> None:
        self.head = 0
        self.applied = 0
        self._heard = False
        self._caught_up = False
        self._started = time.monotonic()

    @property
    def lag(self) -> int:
        """How many changes are known to be missing here."""
        return max(0, self.head - self.applied)

    def heard(self, head: int) -> None:
        """Takes note of how long the feed is."""
        self._heard = True
        self.head = max(self.head, head)

    def require_caught_up(self) -> None:
        """Raises NotCaughtUpError until the copy has once held all that the feed did.

        Later lag is normal life and passes. So does a feed that cannot be reached for some seconds, as long as there
        is an older copy to go on with: bookings are decided elsewhere.
        """
        if self._caught_up:
            return
        waited = time.monotonic() - self._started
        if (self._heard and not self.lag) or (not self._heard and self.applied and waited > _PATIENCE_SECONDS):
            self._caught_up = True
            return
        raise NotCaughtUpError(f"{self.lag} changes behind the feed")
