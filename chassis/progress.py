"""How far the copy of a feed has come, and whether it is good enough to answer from."""

import time
from collections import deque

from chassis.metrics import gauge

# A source that is away must not keep a process out of service that holds an older copy.
_PATIENCE_SECONDS = 5.0
# So many messages are remembered by the time they came; the oldest that is not applied is what counts.
_REMEMBERED = 1_000


class NotCaughtUpError(Exception):
    """The copy lacks changes that were there before this process started."""


class Progress:
    """Positions count from 1; 0 means none yet."""

    def __init__(self) -> None:
        self.head = 0
        self.applied = 0
        self._heard = False
        self._caught_up = False
        self._started = self._heard_at = time.monotonic()
        self._waiting: deque[tuple[int, float]] = deque()

    @property
    def lag(self) -> int:
        """How many changes are known to be missing here."""
        return max(0, self.head - self.applied)

    @property
    def lag_seconds(self) -> float:
        """For how long the oldest change that is missing here has been known; 0 when none is."""
        self._forget_applied()
        return time.monotonic() - self._waiting[0][1] if self._waiting else 0.0

    @property
    def silence_seconds(self) -> float:
        """Since when nothing was heard of the feed, which gives a sign of life every few seconds."""
        return time.monotonic() - self._heard_at

    def heard(self, head: int) -> None:
        """Takes note of how long the feed is."""
        self._heard, self._heard_at = True, time.monotonic()
        self._forget_applied()
        if head > max(self.head, self.applied) and len(self._waiting) < _REMEMBERED:
            self._waiting.append((head, self._heard_at))
        self.head = max(self.head, head)

    def _forget_applied(self) -> None:
        while self._waiting and self._waiting[0][0] <= self.applied:
            self._waiting.popleft()

    def show(self) -> None:
        """Shows the state of the copy among the process's metrics."""
        gauge("telemed_feed_lag_changes", "Changes of the feed that this copy has not applied yet.", lambda: self.lag)
        gauge(
            "telemed_feed_lag_seconds",
            "For how long the oldest change that this copy has not applied has been known.",
            lambda: self.lag_seconds,
        )
        gauge(
            "telemed_feed_silence_seconds",
            "Since when nothing was heard of the feed; it gives a sign of life every 5 s.",
            lambda: self.silence_seconds,
        )

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
