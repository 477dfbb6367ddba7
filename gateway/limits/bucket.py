"""The token bucket itself, as arithmetic: the generic cell rate algorithm, whose whole state is one instant.

Source: ITU-T I.371, "virtual scheduling". A bucket is full at the instant `full_at`; each token taken moves that
instant by one interval. Instants and lengths are seconds.
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests at once, and so many a second in the long run."""

    burst: int
    per_second: float

    @property
    def interval(self) -> float:
        """Seconds in which one token comes back."""
        return 1.0 / self.per_second

    @property
    def window(self) -> int:
        """Seconds in which an empty bucket fills, rounded up."""
        return math.ceil(self.burst / self.per_second)


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of one request: tokens left, and the seconds until there is one again (0 when there is)."""

    allowed: bool
    remaining: int
    retry_after: float
    full_at: float


def take(rate: Rate, full_at: float, now: float) -> Decision:
    """Takes one token from a bucket that is full at `full_at`; in the past means that it is full."""
    start = max(full_at, now)
    tokens = rate.burst - (start - now) * rate.per_second
    # A hair of tolerance: the sums above are of floats.
    if tokens < 1.0 - 1e-9:
        return Decision(allowed=False, remaining=0, retry_after=(1.0 - tokens) * rate.interval, full_at=full_at)
    return Decision(
        allowed=True, remaining=max(0, math.floor(tokens - 1.0 + 1e-9)), retry_after=0.0, full_at=start + rate.interval
    )
