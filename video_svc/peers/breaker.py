"""Stops asking a provider that does not answer, and asks again after a pause by one call alone."""

from dataclasses import dataclass, field
from enum import StrEnum


class BreakerState(StrEnum):
    """How calls are treated: all pass, none does, or one is out to see."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(slots=True)
class Breaker:
    """Opens after `most_failures` in a row, for `pause_seconds`. Times are seconds of a clock that never goes back.

    A failure is a provider that did not answer or could not: a refusal is a sign of life.
    """

    most_failures: int = 5
    pause_seconds: float = 10.0
    _failures: int = field(default=0, init=False)
    _opened: float | None = field(default=None, init=False)
    _trial: float | None = field(default=None, init=False)

    def lets_through(self, now: float) -> bool:
        """Whether a call may be made. After the pause one may; the next only once that one has told, or is overdue."""
        if self._opened is None:
            return True
        since = self._opened if self._trial is None else self._trial
        if now - since < self.pause_seconds:
            return False
        self._trial = now
        return True

    def succeeded(self) -> None:
        """A call was answered."""
        self._failures = 0
        self._opened = self._trial = None

    def failed(self, now: float) -> None:
        """A call was not answered."""
        self._failures += 1
        if self._failures >= self.most_failures:
            self._opened, self._trial = now, None

    def state(self, now: float) -> BreakerState:
        """Where it stands."""
        if self._opened is None:
            return BreakerState.CLOSED
        if self._trial is not None or now - self._opened >= self.pause_seconds:
            return BreakerState.HALF_OPEN
        return BreakerState.OPEN
