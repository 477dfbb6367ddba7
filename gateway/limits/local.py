"""Buckets in this process."""

import time
from collections import OrderedDict
from collections.abc import Callable

from gateway.limits.bucket import Decision, Rate, take

_MOST_BUCKETS = 100_000


class LocalBuckets:
    """Implements limits.guard.Buckets with a dictionary; the buckets used least recently are forgotten first."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._full_at: OrderedDict[str, float] = OrderedDict()

    async def take(self, key: str, rate: Rate) -> Decision:
        """See the port."""
        return self.take_now(key, rate)

    def take_now(self, key: str, rate: Rate) -> Decision:
        """The same without waiting."""
        now = self._clock()
        decision = take(rate, self._full_at.get(key, now), now)
        self._full_at[key] = decision.full_at
        self._full_at.move_to_end(key)
        if len(self._full_at) > _MOST_BUCKETS:
            self._full_at.popitem(last=False)
        return decision
