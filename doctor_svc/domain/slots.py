"""The slot generator: a doctor's rules and busy times to the slots of one day, and to one slot at an exact time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from doctor_svc.domain.availability import AvailabilityRule
from doctor_svc.domain.busy import Busy, BusyTimes
from doctor_svc.domain.grid import Grid, cut
from doctor_svc.domain.hours import Hours, blocks_on, hours_for
from doctor_svc.domain.overrides import Override, extra_kinds
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
    """One doctor's hours and busy times as seen at one moment. Days are those of the doctor's zone.

    `max_daily` is the most visits that the doctor takes on in a day; 0 is no limit. To count them, `busy` must hold
    the whole of every day in question.
    """

    zone: tzinfo
    rules: tuple[AvailabilityRule, ...]
    overrides: tuple[Override, ...]
    busy: BusyTimes
    now: datetime
    today: date
    last_day: date
    bookable: Window
    policy: BookingPolicy
    max_daily: int = 0

    @classmethod
    def at(
        cls,
        now: datetime,
        zone: tzinfo,
        rules: Iterable[AvailabilityRule],
        busy: Iterable[Busy],
        policy: BookingPolicy,
        *,
        overrides: Iterable[Override] = (),
        max_daily: int = 0,
    ) -> "Agenda":
        """The agenda at an instant, where notice and horizon count from."""
        today, last_day, bookable = policy.calendar(now, zone)
        return cls(
            zone=zone,
            rules=tuple(rules),
            overrides=tuple(overrides),
            busy=BusyTimes(busy),
            now=now,
            today=today,
            last_day=last_day,
            bookable=bookable,
            policy=policy,
            max_daily=max_daily,
        )

    def hours(self, kind: AppointmentType) -> Hours:
        """By what the doctor serves a kind, whatever the day."""
        return hours_for(self.rules, self.overrides, kind, self.policy.clinic_buffer)

    def is_full(self, day: date) -> bool:
        """Whether as many visits start on a day as the doctor takes on in one."""
        if not self.max_daily:
            return False
        opening, closing = instant_of(day, time.min, self.zone), end_of_wall(day, None, self.zone)
        return self.busy.starting_in(opening, closing) >= self.max_daily

    def bookable_under(self, rule: AvailabilityRule) -> Window:
        """When a slot of a rule can be booked: the clinic's window, narrowed where the rule is stricter."""
        if rule.notice is None and rule.horizon_days is None:
            return self.bookable
        return self.policy.tightened(rule.notice, rule.horizon_days).bookable(self.now, self.zone)


@dataclass(frozen=True, slots=True)
class DaySlots:
    """The slots of one kind on one day of a doctor, free or not. Slots are built only when asked for.

    A day that `is_full` has as many visits as the doctor takes on in one: whatever time is left is not free.
    """

    day: date
    grids: tuple[Grid, ...]
    is_full: bool = False

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
        return 0 if self.is_full else sum(grid.free_count(grid.bookable.intersect(window)) for grid in self.grids)

    def free(self, window: Window | None = None) -> Iterator[Slot]:
        """The slots that can be booked, inside the window where there is one, in order of time."""
        if self.is_full:
            return
        nearly_full = self.nearly_full
        for grid in self.grids:
            wanted = grid.bookable if window is None else grid.bookable.intersect(window)
            scarce = nearly_full or grid.free_count(grid.bookable) == 1
            snug = priority_of(grid.kind, scarce=scarce, snug=True)
            loose = priority_of(grid.kind, scarce=scarce, snug=False)
            for cell in grid.free_cells(wanted):
                yield grid.slot(cell, snug if cell in grid.snug else loose)

    def first_free(self, window: Window) -> datetime | None:
        """When the first slot inside a window starts that can be booked; None without one."""
        if self.is_full:
            return None
        starts = (grid.first_free(grid.bookable.intersect(window)) for grid in self.grids)
        return next((start for start in starts if start is not None), None)


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


def kinds_on(agenda: Agenda, day: date) -> tuple[AppointmentType, ...]:
    """The kinds to show of a day when none is asked for: those with a rule of their own, or extra hours that day."""
    own = {rule.kind for rule in agenda.rules} | extra_kinds(agenda.overrides, day)
    return tuple(kind for kind in AppointmentType if kind in own)


def day_slots(agenda: Agenda, visit: Visit, day: date) -> DaySlots:
    """The slots for a visit on a day of the doctor's calendar; none at all before today or past the horizon."""
    return slots_under(agenda, agenda.hours(visit.kind), visit, day)


def slots_under(agenda: Agenda, hours: Hours, visit: Visit, day: date) -> DaySlots:
    """Like day_slots, for callers who go through many days and have looked up `agenda.hours(visit.kind)` once."""
    if not agenda.today <= day <= agenda.last_day:
        return DaySlots(day, ())
    return DaySlots(day, _grids(agenda, hours, visit, day), agenda.is_full(day))


def exact_slot(agenda: Agenda, visit: Visit, start: datetime) -> Slot | None:
    """The slot that starts exactly then, or None where the visit does not lie wholly inside a block of the doctor's.

    Neither the grid, nor the clinic's notice and horizon, nor busy times matter: whether the time may be had is for
    the ledger and its rules to say. A rule's own notice and horizon do: outside of them it offers no hours, since
    nobody but us knows of them. `start` is aware, in any zone.
    """
    if start.year not in CALENDAR_YEARS:
        return None
    start = start.astimezone(UTC)
    day = day_of(start, agenda.zone)
    of_day = DaySlots(day, _grids(agenda, agenda.hours(visit.kind), visit, day))
    for grid in of_day.grids:
        if grid.start <= start and start + grid.duration <= grid.end and _rule_allows(agenda, grid, start):
            return _exact(agenda, of_day, grid, start)
    return None


def morning_and_afternoon(slots: Iterable[Slot], day: date, zone: tzinfo) -> tuple[tuple[Slot, ...], tuple[Slot, ...]]:
    """The slots that start before noon of a day in a zone, and those that start at noon or later."""
    noon = instant_of(day, time(12), zone)
    in_order = tuple(slots)
    return tuple(s for s in in_order if s.start < noon), tuple(s for s in in_order if s.start >= noon)


def _exact(agenda: Agenda, of_day: DaySlots, grid: Grid, start: datetime) -> Slot:
    cell, off_grid = divmod(start - grid.start, grid.step)
    last_free = not off_grid and list(grid.free_cells(grid.bookable)) == [cell]
    met = any(agenda.busy.touching(start, start + grid.step))
    priority = priority_of(grid.kind, scarce=of_day.nearly_full or last_free, snug=met or start == grid.start)
    return Slot(start, start + grid.duration, grid.kind, priority, grid.buffer, grid.capacity)


def _rule_allows(agenda: Agenda, grid: Grid, start: datetime) -> bool:
    """Whether a rule's own numbers leave a start that the clinic's allow; what the clinic refuses, others refuse."""
    return start not in agenda.bookable or start in grid.bookable


def _grids(agenda: Agenda, hours: Hours, visit: Visit, day: date) -> tuple[Grid, ...]:
    return tuple(
        cut(rule, visit.duration or rule.duration, start, end, agenda.busy, bookable=agenda.bookable_under(rule))
        for start, end, rule in blocks_on(hours, day, agenda.zone)
    )
