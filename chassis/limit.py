"""How many calls at once are worth taking: a limit that learns from how long they take.

Arithmetic alone: it is told of every beginning and end, and reads no clock.
"""

from dataclasses import dataclass, field

# Calls that had at most one other beside them, at their beginning and at their end, tell how long a call takes by
# itself: a moving average of some twenty.
_ALONE = 1
_USUAL_SHARE = 0.05
# Calls may take so many times as long as they do alone. Above, the limit shrinks by a tenth; below, it grows by one,
# if it was reached (additive increase, multiplicative decrease, as TCP does for the same reason).
_TOLERANCE = 2.0
_SHRINK = 0.9
_REACHED = 0.9
_FEWEST_SAMPLES = 10


@dataclass(slots=True)
class AdaptiveLimit:
    """Counts the calls in hand and knows how many there should be, from `least` to `most`."""

    least: int
    most: int
    in_flight: int = field(default=0, init=False)
    limit: float = field(init=False)
    _usual: dict[str, float] = field(default_factory=dict, init=False)
    _samples: int = field(default=0, init=False)
    _times_as_long: float = field(default=0.0, init=False)
    _peak: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.least = min(self.least, self.most)
        self.limit = float(min(self.most, 2 * self.least))

    @property
    def is_reached(self) -> bool:
        """Whether one more call would be one too many."""
        return self.in_flight >= self.limit

    def begin(self) -> int:
        """A call begins; tells how many were in hand before it."""
        ahead = self.in_flight
        self.in_flight = ahead + 1
        self._peak = max(self._peak, self.in_flight)
        return ahead

    def end(self, kind: str, seconds: float, ahead: int) -> None:
        """A call has ended: of which kind, how long it took, and what `begin` had answered."""
        self.in_flight -= 1
        usual = self._usual.get(kind)
        if max(ahead, self.in_flight) <= _ALONE:
            self._usual[kind] = seconds if usual is None else usual + _USUAL_SHARE * (seconds - usual)
        elif usual:
            self._samples += 1
            self._times_as_long += seconds / usual
            if self._samples >= max(_FEWEST_SAMPLES, self.limit):
                self._learn()

    def step_out(self) -> None:
        """A call waits for something that costs nothing here."""
        self.in_flight -= 1

    def step_in(self) -> None:
        """It goes on, whatever the limit says."""
        self.in_flight += 1

    def _learn(self) -> None:
        if self._times_as_long / self._samples > _TOLERANCE:
            self.limit = max(float(self.least), min(self.limit, float(self._peak)) * _SHRINK)
        elif self._peak >= self.limit * _REACHED:
            self.limit = min(float(self.most), self.limit + 1)
        self._samples, self._times_as_long, self._peak = 0, 0.0, self.in_flight
