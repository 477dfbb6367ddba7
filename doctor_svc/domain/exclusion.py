"""Why a doctor cannot be booked as asked: every rule in the way, and the nearest thing that would work."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo

from doctor_svc.domain.demands import Demands, Reason, Rule, unmet
from doctor_svc.domain.grid import Grid
from doctor_svc.domain.offers import days_in
from doctor_svc.domain.proposals import REACH_DAYS, Aim, Contender, nearest_to
from doctor_svc.domain.schedule import Schedule
from doctor_svc.domain.slots import Agenda, DaySlots, Visit, day_slots
from doctor_svc.domain.window import Window
from kernel.civil_time import day_of
from kernel.slots import Slot

_A_MINUTE = timedelta(minutes=1)
_A_MOMENT = datetime.resolution
# What a patient can give up. The other rules, apart from time, are not the patient's to waive.
_GIVEN_UP = {
    Rule.SPECIALTY: "the specialty",
    Rule.LANGUAGE: "the language",
    Rule.LICENCE: "the location",
    Rule.RATING: "the rating",
}
_FINAL = frozenset({Rule.UNVERIFIED, Rule.INACTIVE})


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A doctor who cannot be booked as asked. `suggestion` is what would work, in words; empty where nothing would."""

    schedule: Schedule
    reasons: tuple[Reason, ...]
    nearest: Slot | None
    suggestion: str


@dataclass(frozen=True, slots=True)
class Search:
    """What was asked for: the visit, what the doctor must have, and when."""

    visit: Visit
    demands: Demands
    aim: Aim


def exclusion_of(schedule: Schedule, contender: Contender, search: Search, zone: tzinfo) -> Exclusion | None:
    """Why a doctor cannot be booked as asked, or None for one who can. `zone` is the one that the patient reads."""
    visit, aim = search.visit, search.aim
    who = unmet(schedule.profile, search.demands, is_verified=schedule.is_verified, is_active=schedule.is_active)
    reasons = (*who, *time_reasons(contender, visit, aim))
    if not reasons:
        return None
    is_final = any(reason.rule in _FINAL for reason in reasons)
    nearest = None if is_final else _nearest(contender, visit, aim)
    return Exclusion(schedule, reasons, nearest, _suggestion(nearest, reasons, zone))


def with_hours(schedule: Schedule) -> Schedule:
    """A doctor who is not active has no hours; here with them, so that each rule is told on its own."""
    return schedule if schedule.is_active else replace(schedule, is_active=True)


def meets(schedule: Schedule, demands: Demands) -> bool:
    """Whether nothing apart from time is in the way."""
    return not any(unmet(schedule.profile, demands, is_verified=schedule.is_verified, is_active=schedule.is_active))


def in_order(exclusions: Sequence[Exclusion]) -> list[Exclusion]:
    """Those first who miss least, then by id."""
    return sorted(exclusions, key=lambda one: (len(one.reasons), one.schedule.profile.doctor_id))


def time_reasons(contender: Contender, visit: Visit, aim: Aim) -> Iterator[Reason]:
    """Every reason of time; none where the doctor has something free in the aim.

    In a window that is every rule that keeps any of the doctor's slots there from being free.
    """
    if contender.candidate.offer.free:
        return
    agenda, window = contender.agenda, aim.window
    days = [day for day in _days_in(agenda, visit, window) if any(_holds(grid, aim) for grid in day.grids)]
    grids = [grid for day in days for grid in day.grids if _holds(grid, aim)]
    if not grids:
        yield Reason(Rule.OUTSIDE_HOURS, "does not take such visits then")
        yield from _limits(agenda, window)
    elif aim.start is not None:
        yield from _exact_reasons(agenda, grids[0], aim.start)
    else:
        yield from _window_reasons(agenda, grids, window)
    full = [day.day for day in days if day.is_full]
    if full:
        yield _day_full(agenda, visit, full[-1])


def _days_in(agenda: Agenda, visit: Visit, window: Window) -> tuple[DaySlots, ...]:
    """The doctor's slots on the days of a window, whether those can be booked or not."""
    unlimited = replace(agenda, today=day_of(window.earliest, agenda.zone), last_day=day_of(window.latest, agenda.zone))
    return days_in(unlimited, visit, window)


def _holds(grid: Grid, aim: Aim) -> bool:
    if aim.start is None:
        return bool(grid.cells_in(aim.window))
    return grid.start <= aim.start and aim.start + grid.duration <= grid.end


def _limits(agenda: Agenda, window: Window) -> Iterator[Reason]:
    if window.latest < agenda.bookable.earliest:
        yield _notice(agenda.bookable.earliest - window.latest)
    if window.earliest > agenda.bookable.latest:
        yield _horizon(agenda.bookable, agenda.zone)


def _exact_reasons(agenda: Agenda, grid: Grid, start: datetime) -> Iterator[Reason]:
    if start < grid.bookable.earliest:
        yield _notice(grid.bookable.earliest - start)
    if start > grid.bookable.latest:
        yield _horizon(grid.bookable, agenda.zone)
    if not agenda.busy.admits(grid.kind, start, start + grid.step, grid.capacity):
        yield Reason(Rule.BUSY, "is booked then")


def _window_reasons(agenda: Agenda, grids: Sequence[Grid], window: Window) -> Iterator[Reason]:
    missing = [grid.bookable.earliest - start for grid in grids for start in _last_too_soon(grid, window)]
    if missing:
        yield _notice(min(missing))
    too_late = [grid for grid in grids if grid.cells_in(replace(window, earliest=_later(window, grid.bookable.latest)))]
    if too_late:
        yield _horizon(max((grid.bookable for grid in too_late), key=lambda bookable: bookable.latest), agenda.zone)
    if any(cell in grid.taken for grid in grids for cell in grid.cells_in(window)):
        yield Reason(Rule.BUSY, "is booked then")


def _last_too_soon(grid: Grid, window: Window) -> Iterator[datetime]:
    """The last slot of a block, free or not, for which the notice is too short; none or one."""
    before = replace(window, latest=min(window.latest, grid.bookable.earliest - _A_MOMENT))
    if cells := grid.cells_in(before):
        yield grid.start + cells[-1] * grid.step


def _later(window: Window, instant: datetime) -> datetime:
    return max(window.earliest, instant + _A_MOMENT)


def _notice(missing: timedelta) -> Reason:
    count = -(-missing // _A_MINUTE)
    return Reason(Rule.NOTICE, f"needs {count} more {'minute' if count == 1 else 'minutes'} of notice", count)


def _horizon(bookable: Window, zone: tzinfo) -> Reason:
    last_day = day_of(bookable.latest, zone)
    return Reason(Rule.HORIZON, f"can be booked until {last_day.isoformat()}", last_day=last_day)


def _day_full(agenda: Agenda, visit: Visit, day: date) -> Reason:
    count = agenda.max_daily
    told = f"takes no more than {count} {'visit' if count == 1 else 'visits'} a day"
    later = (day + timedelta(days=ahead) for ahead in range(1, REACH_DAYS + 1))
    opens = next((one for one in later if any(day_slots(agenda, visit, one).free())), None)
    sentence = told if opens is None else f"{told}; the next day with a free time is {opens.isoformat()}"
    return Reason(Rule.DOCTOR_DAY_FULL, sentence)


def _nearest(contender: Contender, visit: Visit, aim: Aim) -> Slot | None:
    offer = contender.candidate.offer
    if offer.free:
        return offer.exact or offer.best(1)[0]
    return nearest_to(contender.agenda, visit, aim)


def _suggestion(nearest: Slot | None, reasons: Sequence[Reason], zone: tzinfo) -> str:
    if nearest is None:
        return ""
    when = f"free at {nearest.start.astimezone(zone):%H:%M on %Y-%m-%d} ({zone})"
    given_up = [_GIVEN_UP[reason.rule] for reason in reasons if reason.rule in _GIVEN_UP]
    return f"{when}, if {' and '.join(given_up)} may be another" if given_up else when
