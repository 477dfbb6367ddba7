"""The slot generator: a doctor's rules and busy times to the slots of one day, and to one slot at an exact time."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from operator import itemgetter

from doctor_svc.domain.availability import AvailabilityRule, hours_of, rules_on
from doctor_svc.domain.busy import Busy, BusyTimes
from doctor_svc.domain.grid import Grid, cut
from doctor_svc.domain.window import CALENDAR_YEARS, BookingPolicy, Window
from kernel.appointment_types import AppointmentType
from kernel.civil_time import day_of, end_of_wall, instant_of
from kernel.slots import Slot, SlotPriority


@dataclass(frozen=True, slots=True)
class Visit:
    """What is to be placed: a kind of visit, and its length where the caller asks for another than the rule's."""

    kind: AppointmentType
    duration: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Agenda:
    """One doctor's hours and busy times as seen at one moment. Days are those of the doctor's zone."""

    zone: tzinfo
    rules: tuple[AvailabilityRule, ...]
    busy: BusyTimes
    today: date
    last_day: date
    bookable: Window
    clinic_buffer: timedelta

    @classmethod
    def at(
        cls,
        now: datetime,
        zone: tzinfo,
        rules: Iterable[AvailabilityRule],
        busy: Iterable[Busy],
        policy: BookingPolicy,
    ) -> "Agenda":
        """The agenda at an instant, where notice and horizon count from."""
        return cls(
            zone=zone,
            rules=tuple(rules),
            busy=BusyTimes(busy),
            today=day_of(now, zone),
            last_day=policy.last_day(now, zone),
            bookable=policy.bookable(now, zone),
            clinic_buffer=policy.clinic_buffer,
        )

    def hours(self, kind: AppointmentType) -> tuple[AvailabilityRule, ...]:
        """The rules by which the doctor serves a kind, whatever the day."""
        return hours_of(self.rules, kind, self.clinic_buffer)


@dataclass(frozen=True, slots=True)
class DaySlots:
    """The slots of one kind on one day of a doctor, free or not. Slots are built only when asked for."""

    day: date
    grids: tuple[Grid, ...]
    bookable: Window

    @property
    def total(self) -> int:
        """How many slots the day has, free or not."""
        return sum(grid.count for grid in self.grids)

    @property
    def booked(self) -> int:
        """How many of them have no seat left."""
        return sum(len(grid.taken) for grid in self.grids)

    @property
    def nearly_full(self) -> bool:
        """Whether at least 80 % of the day is booked."""
        return 5 * self.booked >= 4 * self.total > 0

    def total_in(self, window: Window) -> int:
        """How many slots, free or not, start inside a window."""
        return sum(len(grid.cells_in(window)) for grid in self.grids)

    def free_in(self, window: Window) -> int:
        """How many slots inside a window can be booked."""
        wanted = self.bookable.intersect(window)
        return sum(grid.free_count(wanted) for grid in self.grids)

    def free(self, window: Window | None = None) -> Iterator[Slot]:
        """The slots that can be booked, inside the window where there is one, in order of time."""
        wanted = self.bookable if window is None else self.bookable.intersect(window)
        nearly_full = self.nearly_full
        for grid in self.grids:
            scarce = nearly_full or grid.free_count(self.bookable) == 1
            for cell in grid.free_cells(wanted):
                yield grid.slot(cell, priority_of(grid.kind, scarce=scarce, snug=cell in grid.snug))


def priority_of(kind: AppointmentType, *, scarce: bool, snug: bool) -> SlotPriority:
    """The one rule of slot priority.

    `scarce`: the day is nearly full or nothing else of the block is left; `snug`: the visit starts the block or
    touches a booked one, so that the day keeps no hole.
    """
    if kind is AppointmentType.EMERGENCY:
        return SlotPriority.EMERGENCY
    if scarce:
        return SlotPriority.LIMITED
    return SlotPriority.PREFERRED if snug else SlotPriority.AVAILABLE


def day_slots(agenda: Agenda, visit: Visit, day: date) -> DaySlots:
    """The slots for a visit on a day of the doctor's calendar; none at all before today or past the horizon."""
    return slots_under(agenda, agenda.hours(visit.kind), visit, day)


def slots_under(agenda: Agenda, hours: Sequence[AvailabilityRule], visit: Visit, day: date) -> DaySlots:
    """Like day_slots, for callers who go through many days and have looked up `agenda.hours(visit.kind)` once."""
    if not agenda.today <= day <= agenda.last_day:
        return DaySlots(day, (), agenda.bookable)
    return DaySlots(day, _grids(agenda, hours, visit, day), agenda.bookable)


def exact_slot(agenda: Agenda, visit: Visit, start: datetime) -> Slot | None:
    """The slot that starts exactly then, or None where the visit does not lie wholly inside a block of the doctor's.

    Neither the grid, nor notice and horizon, nor busy times matter: whether the time may be had is for the ledger
    and its rules to say. `start` is aware, in any zone.
    """
    if start.year not in CALENDAR_YEARS:
        return None
    start = start.astimezone(UTC)
    day = day_of(start, agenda.zone)
    of_day = DaySlots(day, _grids(agenda, agenda.hours(visit.kind), visit, day), agenda.bookable)
    for grid in of_day.grids:
        if grid.start <= start and start + grid.duration <= grid.end:
            return _exact(agenda, of_day, grid, start)
    return None


def morning_and_afternoon(slots: Iterable[Slot], day: date, zone: tzinfo) -> tuple[tuple[Slot, ...], tuple[Slot, ...]]:
    """The slots that start before noon of a day in a zone, and those that start at noon or later."""
    noon = instant_of(day, time(12), zone)
    in_order = tuple(slots)
    return tuple(s for s in in_order if s.start < noon), tuple(s for s in in_order if s.start >= noon)


def _exact(agenda: Agenda, of_day: DaySlots, grid: Grid, start: datetime) -> Slot:
    cell, off_grid = divmod(start - grid.start, grid.step)
    last_free = not off_grid and list(grid.free_cells(agenda.bookable)) == [cell]
    met = any(agenda.busy.touching(start, start + grid.step))
    priority = priority_of(grid.kind, scarce=of_day.nearly_full or last_free, snug=met or start == grid.start)
    return Slot(start, start + grid.duration, grid.kind, priority, grid.buffer, grid.capacity)


def _grids(agenda: Agenda, hours: Sequence[AvailabilityRule], visit: Visit, day: date) -> tuple[Grid, ...]:
    return tuple(
        cut(rule, visit.duration or rule.duration, start, end, agenda.busy)
        for start, end, rule in _blocks(rules_on(hours, day), day, agenda.zone)
    )


def _blocks(
    rules: Sequence[AvailabilityRule], day: date, zone: tzinfo
) -> Iterator[tuple[datetime, datetime, AvailabilityRule]]:
    """The blocks of a day as instants in UTC, in order and apart from each other.

    Where clocks skip an hour, an end inside it moves forward and may run into the next block or past midnight: the
    next block then starts where the earlier ends, and no block leaves its day.
    """
    if not rules:
        return
    closing = end_of_wall(day, None, zone)
    found = [
        (instant_of(day, block.start, zone), min(end_of_wall(day, block.end, zone), closing), rule)
        for rule in rules
        for block in rule.blocks
    ]
    found.sort(key=itemgetter(0, 1))
    last_end = found[0][0]
    for start, end, rule in found:
        begin = max(start, last_end)
        if begin < end:
            yield begin, end, rule
            last_end = end
