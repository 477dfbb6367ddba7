"""The times at which a doctor is already occupied, kept so that a stretch of time is looked up without a scan."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from operator import attrgetter

from kernel.appointment_types import AppointmentType


@dataclass(frozen=True, slots=True)
class Busy:
    """One visit as it occupies its doctor: `[start, end)` with the buffer included, aware and in UTC.

    `seat` counts from 0 among the visits of the kind that share the time. Raises ValueError for an empty stretch.
    """

    start: datetime
    end: datetime
    kind: AppointmentType
    seat: int

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise ValueError("a busy time must end after it starts")


class BusyTimes:
    """A doctor's busy times, in order; they may overlap each other where visits share the time."""

    __slots__ = ("_items", "_reach", "_starts")

    def __init__(self, items: Iterable[Busy] = ()) -> None:
        self._items = sorted(items, key=attrgetter("start"))
        self._starts = list(map(attrgetter("start"), self._items))
        # reach[i] is the latest end among the first i + 1 items: once it falls short, nothing earlier can matter.
        self._reach = list(accumulate(map(attrgetter("end"), self._items), max))

    def touching(self, start: datetime, end: datetime) -> Iterator[Busy]:
        """Those that share an instant with `[start, end]`, ends included; the latest first."""
        for index in range(bisect_right(self._starts, end) - 1, -1, -1):
            if self._reach[index] < start:
                return
            if self._items[index].end >= start:
                yield self._items[index]

    def admits(self, kind: AppointmentType, start: datetime, end: datetime, capacity: int) -> bool:
        """Whether a visit may occupy `[start, end)`: no other kind there, and a seat below `capacity` free throughout.

        The same answer as the two exclusion constraints of the ledger give.
        """
        met = [item for item in self.touching(start, end) if item.start < end and start < item.end]
        return all(item.kind is kind for item in met) and not {item.seat for item in met}.issuperset(range(capacity))

    def starting_in(self, start: datetime, end: datetime) -> int:
        """How many start in `[start, end)`."""
        return bisect_left(self._starts, end) - bisect_left(self._starts, start)
