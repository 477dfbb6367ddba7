"""Every change of every clock in eleven years, grouped by shape: what the wall shows just before and just after it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

FIRST, LAST = datetime(2024, 1, 1, tzinfo=UTC), datetime(2035, 1, 1, tzinfo=UTC)
YEARS = range(FIRST.year, LAST.year)
_A_DAY, _A_SECOND = timedelta(days=1), timedelta(seconds=1)
# The oracle reads the clock from 16 hours before a UTC day to 44 hours into it, for three days round a change. Two
# changes whose clocks agree for this long on either side are therefore one to it, whatever the zone and the year.
_NEARBY = timedelta(days=4)


@dataclass(frozen=True, slots=True)
class Change:
    """One moment (UTC) at which a zone's offset changes."""

    zone_name: str
    instant: datetime
    before: timedelta
    after: timedelta

    @property
    def wall_before(self) -> datetime:
        """What the clock would show at the moment if nothing changed; naive."""
        return (self.instant + self.before).replace(tzinfo=None)

    @property
    def wall_after(self) -> datetime:
        """What it shows instead; naive."""
        return (self.instant + self.after).replace(tzinfo=None)

    @property
    def days(self) -> tuple[date, ...]:
        """The days of the zone's calendar that touch the change, and one more on either side."""
        first = min(self.wall_before, self.wall_after).date() - _A_DAY
        last = max(self.wall_before, self.wall_after).date() + _A_DAY
        return tuple(first + ahead * _A_DAY for ahead in range((last - first).days + 1))


@dataclass(frozen=True, slots=True)
class Shape:
    """All that a slot's distance from a change can depend on: the time of day, and the offsets round about it."""

    time_of_day: timedelta
    offsets: tuple[tuple[timedelta, timedelta, timedelta], ...]


@cache
def zone_names() -> tuple[str, ...]:
    """All IANA zones of this machine, in order."""
    return tuple(sorted(available_timezones()))


@cache
def changes_of(zone_name: str) -> tuple[Change, ...]:
    """The changes of a zone from 2024 to 2034, found by looking once a day and then ever closer."""
    zone = ZoneInfo(zone_name)
    found = []
    day, offset = FIRST, _offset(zone, FIRST)
    while day < LAST:
        following = day + _A_DAY
        offset_after = _offset(zone, following)
        if offset_after != offset:
            instant = _moment_of_change(zone, day, following)
            found.append(Change(zone_name, instant, offset, offset_after))
        day, offset = following, offset_after
    return tuple(found)


def every_change() -> Iterator[Change]:
    """The changes of all zones."""
    for name in zone_names():
        yield from changes_of(name)


def shape_of(change: Change) -> Shape:
    """The shape of a change, with whatever else happens nearby."""
    wall = change.wall_before
    return Shape(
        time_of_day=timedelta(hours=wall.hour, minutes=wall.minute, seconds=wall.second),
        offsets=tuple(
            (other.instant - change.instant, other.before, other.after)
            for other in changes_of(change.zone_name)
            if abs(other.instant - change.instant) <= _NEARBY
        ),
    )


def _offset(zone: ZoneInfo, instant: datetime) -> timedelta:
    offset = instant.astimezone(zone).utcoffset()
    assert offset is not None
    return offset


def _moment_of_change(zone: ZoneInfo, old: datetime, new: datetime) -> datetime:
    before = _offset(zone, old)
    while new - old > _A_SECOND:
        middle = old + (new - old) // 2
        middle = middle.replace(microsecond=0)
        if _offset(zone, middle) == before:
            old = middle
        else:
            new = middle
    return new
