"""One block of a doctor's hours cut into cells, and which of the cells are taken: counted before any slot is built."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from doctor_svc.domain.availability import AvailabilityRule
from doctor_svc.domain.busy import BusyTimes
from doctor_svc.domain.window import Window
from kernel.appointment_types import AppointmentType
from kernel.slots import Slot, SlotPriority


@dataclass(frozen=True, slots=True)
class Grid:
    """The block `[start, end)` cut into `count` cells, each of a visit and the buffer after it.

    A visit fits wholly inside the block; the buffer of the last cell may reach past it. Because a cell is exactly what
    a visit occupies, a busy time takes a run of cells, found by division. `taken` cells have no seat left; `snug` ones
    start the block or touch a booked visit. `bookable` is when its slots may start at all.
    """

    kind: AppointmentType
    start: datetime
    end: datetime
    duration: timedelta
    buffer: timedelta
    capacity: int
    count: int
    taken: frozenset[int]
    snug: frozenset[int]
    bookable: Window

    @property
    def step(self) -> timedelta:
        """The length of a cell."""
        return self.duration + self.buffer

    def cells_in(self, window: Window) -> range:
        """The cells, taken or not, that start inside a window."""
        # Nearly always it is all of them or none, which costs no division.
        if window.earliest <= self.start and self.end <= window.latest:
            return range(self.count)
        if self.end <= window.earliest or window.latest < self.start:
            return range(0)
        step = self.duration + self.buffer
        first = -((self.start - window.earliest) // step)  # the quotient of the negated, negated: rounded up
        last = (window.latest - self.start) // step
        return range(max(first, 0), min(last + 1, self.count))

    def free_cells(self, window: Window) -> Iterator[int]:
        """The cells that start inside a window and are not taken, in order."""
        return (cell for cell in self.cells_in(window) if cell not in self.taken)

    def free_count(self, window: Window) -> int:
        """How many cells start inside a window and are not taken."""
        cells = self.cells_in(window)
        return len(cells) - sum(cell in cells for cell in self.taken)

    def first_free(self, window: Window) -> datetime | None:
        """When the first cell starts that lies inside a window and is not taken; None without one."""
        cell = next(self.free_cells(window), None)
        return None if cell is None else self.start + cell * self.step

    def slot(self, cell: int, priority: SlotPriority) -> Slot:
        """A cell as a slot."""
        start = self.start + cell * (self.duration + self.buffer)
        return Slot(start, start + self.duration, self.kind, priority, self.buffer, self.capacity)


def cut(
    rule: AvailabilityRule, duration: timedelta, start: datetime, end: datetime, busy: BusyTimes, *, bookable: Window
) -> Grid:
    """The grid of visits of `duration` under a rule in the block `[start, end)`, both instants in UTC."""
    step = duration + rule.buffer
    count = max((end - start - duration) // step + 1, 0)
    cells = range(count)
    taken: set[int] = set()
    snug = {0}
    seats: dict[int, set[int]] = {}
    for item in busy.touching(start, start + count * step):
        begin, stop = item.start - start, item.end - start
        snug.update(_touched(begin, stop, step, cells))
        met = _overlapped(begin, stop, step, cells)
        if item.kind is not rule.kind:
            taken.update(met)
        else:
            for cell in met:
                seats.setdefault(cell, set()).add(item.seat)
    every_seat = range(rule.capacity)
    taken.update(cell for cell, used in seats.items() if used.issuperset(every_seat))
    return Grid(
        kind=rule.kind,
        start=start,
        end=end,
        duration=duration,
        buffer=rule.buffer,
        capacity=rule.capacity,
        count=count,
        taken=frozenset(taken),
        snug=frozenset(snug),
        bookable=bookable,
    )


def _overlapped(begin: timedelta, end: timedelta, step: timedelta, cells: range) -> range:
    """The cells that share time with `[begin, end)`, counted from the start of the grid."""
    return cells[max(begin // step, 0) : max(-(-end // step), 0)]


def _touched(begin: timedelta, end: timedelta, step: timedelta, cells: range) -> range:
    """The cells that share time with `[begin, end)` or lie next to it without a gap."""
    return cells[max(-(-begin // step) - 1, 0) : max(end // step + 1, 0)]
