"""The generator in all IANA zones, at every offset change of 2024 to 2034, against the slow oracle.

A day takes the oracle milliseconds, and eleven years of all zones have thousands of changes, but few shapes: a clock
goes from +1 to +2 at 02:00 in dozens of zones every spring. So the oracle looks at one change of each shape, and the
generator at every change: its slots, counted from the moment of the change, must be the oracle's for that shape.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from doctor_builders import FOLLOW_UP, GENERAL, agenda, minutes
from slot_oracle import look
from zone_walk import YEARS, Change, Shape, changes_of, every_change, shape_of, zone_names

from doctor_svc.domain.availability import AvailabilityRule, WallBlock
from doctor_svc.domain.busy import Busy
from doctor_svc.domain.slots import Visit, day_slots

NOTHING, A_DAY, A_MINUTE = timedelta(), timedelta(days=1), timedelta(minutes=1)
Starts = tuple[timedelta, ...]
# Ends of blocks: the earlier or the later (0 or 1) of a change's two wall times, and minutes from it: before
# what the clock skips or repeats, at its ends, inside it, and after it.
MARKS = ((0, -95), (0, -20), (0, 0), (0, 10), (0, 20), (1, -5), (1, 0), (1, 25), (1, 100))
PAIRS = (((0, 8),), ((1, 4),), ((3, 8),), ((3, 5),), ((2, 6),), ((0, 3), (6, 8)), ((1, 5), (6, 7)), ((2, 4), (5, 8)))


def rule_of(day: date, *blocks: WallBlock) -> AvailabilityRule:
    """Weekly hours on the weekday of a day."""
    return AvailabilityRule(
        rule_id="rule-1",
        doctor_id="doctor-1",
        day_of_week=day.isoweekday() % 7,
        specific_date=None,
        kind=GENERAL,
        duration=minutes(20),
        buffer=minutes(5),
        capacity=1,
        morning=blocks[0],
        afternoon=blocks[1] if len(blocks) > 1 else None,
    )


def blocks_near(change: Change, day: date) -> Iterator[tuple[WallBlock, ...]]:
    """The whole day, and blocks that begin and end round about what the clock of that day skips or repeats."""
    yield (WallBlock(time(), None),)
    walls = sorted((change.wall_before, change.wall_after))
    midnight = datetime.combine(day, time())
    marks = [max(NOTHING, min(A_DAY, walls[which] - midnight + minutes(away))) for which, away in MARKS]
    for pair in PAIRS:
        ends = [(marks[start], marks[end]) for start, end in pair]
        blocks = tuple(WallBlock(wall_of(start), wall_of(end)) for start, end in ends if start < end)
        if blocks:
            yield blocks


def wall_of(since_midnight: timedelta) -> time | None:
    return None if since_midnight == A_DAY else (datetime.min.replace(tzinfo=UTC) + since_midnight).time()


def visits_near(change: Change) -> list[Busy]:
    """A few booked visits round about a change, of this kind and another."""
    stretches = ((-90, -65, GENERAL), (-10, 15, GENERAL), (50, 80, FOLLOW_UP))
    return [Busy(change.instant + minutes(a), change.instant + minutes(b), kind, 0) for a, b, kind in stretches]


def cases_of(change: Change) -> Iterator[tuple[date, AvailabilityRule]]:
    """What is asked at a change: several rules on each of the days round about it, the same for equal shapes."""
    for day in change.days:
        for blocks in blocks_near(change, day):
            yield day, rule_of(day, *blocks)


def generated(rule: AvailabilityRule, taken: Sequence[Busy], day: date, zone_name: str) -> tuple[datetime, ...]:
    before = datetime.combine(day, time(), UTC) - timedelta(days=5)
    found = day_slots(agenda(rule, taken=taken, zone=ZoneInfo(zone_name), now=before), Visit(GENERAL), day)
    return tuple(slot.start for slot in found.free())


def from_generator(change: Change) -> list[Starts]:
    taken = visits_near(change)
    return [
        tuple(start - change.instant for start in generated(rule, taken, day, change.zone_name))
        for day, rule in cases_of(change)
    ]


def from_oracle(change: Change) -> list[Starts]:
    taken = visits_near(change)
    return [
        tuple(start - change.instant for start in look(rule, taken, day, change.zone_name).free)
        for day, rule in cases_of(change)
    ]


def test_at_every_change_of_every_clock_the_slots_are_those_of_a_clock_read_minute_by_minute() -> None:
    expected: dict[Shape, list[Starts]] = {}
    for change in every_change():
        shape = shape_of(change)
        if shape not in expected:
            expected[shape] = from_oracle(change)
        assert from_generator(change) == expected[shape], change


def test_the_walk_meets_every_kind_of_change_there_is() -> None:
    """Otherwise a machine with fewer zones would make the walk above pass by looking away."""
    met = list(every_change())
    shifts = {(change.after - change.before) // A_MINUTE for change in met}
    assert {-120, -60, -30, 30, 60, 120} <= shifts
    assert {change.instant.year for change in met} == set(YEARS)
    assert len(met) > 4000
    assert len(zone_names()) > 590
    # Two changes that every calendar tells: New York in 2026, and Lord Howe's half hour.
    assert datetime(2026, 3, 8, 7, tzinfo=UTC) in [change.instant for change in changes_of("America/New_York")]
    assert datetime(2026, 4, 4, 15, tzinfo=UTC) in [change.instant for change in changes_of("Australia/Lord_Howe")]


def calendar_days() -> list[date]:
    """The days at which a calendar is counted wrongly most easily: leap days, their neighbours, the ends of years."""
    leaps = [date(year, 2, 29) for year in YEARS if year % 4 == 0]
    round_leaps = [day + around * A_DAY for day in leaps for around in (-1, 0, 1)]
    no_leaps = [date(year, *month_day) for year in (2025, 2026) for month_day in ((2, 28), (3, 1))]
    year_ends = [date(year, *month_day) for year in YEARS for month_day in ((1, 1), (12, 31))]
    return round_leaps + no_leaps + year_ends


HOURS = (WallBlock(time(), time(1, 35)), WallBlock(time(22, 10), None))


@cache
def hours_in_an_unchanging_zone(offset: timedelta) -> Starts:
    """When the two blocks have their slots, counted from the UTC midnight of a day on which no clock moves."""
    name = next(name for name in zone_names() if is_constant(name, CALM, offset))
    return tuple(start - midnight_of(CALM) for start in look(rule_of(CALM, *HOURS), (), CALM, name).free)


CALM = date(2026, 1, 14)


def midnight_of(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def is_constant(zone_name: str, day: date, offset: timedelta) -> bool:
    """Whether a zone keeps an offset from the day before to the day after."""
    zone = ZoneInfo(zone_name)
    hours = (midnight_of(day) + timedelta(hours=count) for count in range(-40, 65))
    return all(hour.astimezone(zone).utcoffset() == offset for hour in hours)


def test_leap_days_and_year_ends_are_days_like_any_other_in_every_zone() -> None:
    """Where no clock moves a day has the slots of any calm day of that offset, of which the oracle has seen one."""
    offsets = set()
    for name in zone_names():
        moving = {day for change in changes_of(name) for day in change.days}
        zone = ZoneInfo(name)
        for day in calendar_days():
            if day in moving:
                continue
            offset = datetime.combine(day, time(12), zone).utcoffset()
            assert offset is not None
            offsets.add(offset)
            starts = generated(rule_of(day, *HOURS), (), day, name)
            assert tuple(start - midnight_of(day) for start in starts) == hours_in_an_unchanging_zone(offset)
    assert (min(offsets), max(offsets)) == (timedelta(hours=-12), timedelta(hours=14))
    assert {(offset // A_MINUTE) % 60 for offset in offsets} == {0, 30, 45}


@pytest.mark.parametrize(
    ("zone_name", "first_start"),
    [
        ("Pacific/Kiritimati", "2028-02-28 19:00"),
        ("Etc/GMT-14", "2028-02-28 19:00"),
        ("Etc/GMT+12", "2028-02-29 21:00"),
        ("Asia/Kathmandu", "2028-02-29 03:15"),
        ("Pacific/Chatham", "2028-02-28 19:15"),
        ("Asia/Kolkata", "2028-02-29 03:30"),
    ],
)
def test_a_leap_days_nine_o_clock_in_far_zones_by_hand(zone_name: str, first_start: str) -> None:
    day = date(2028, 2, 29)
    (start,) = generated(rule_of(day, WallBlock(time(9), time(9, 20))), (), day, zone_name)
    assert f"{start:%Y-%m-%d %H:%M}" == first_start
