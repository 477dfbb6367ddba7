"""Civil time to instants: the one place where a wall clock meets a zone."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from kernel.errors import InvalidArgument


@lru_cache(maxsize=1)
def _zone_names() -> frozenset[str]:
    return frozenset(available_timezones())


@lru_cache(maxsize=1024)
def zone_named(name: str, field: str = "timezone") -> ZoneInfo:
    """The IANA zone of that exact name; an empty name means UTC. Raises InvalidArgument for `field`.

    Asked of the list of names first, because ZoneInfo opens whatever file or folder the name leads to.
    """
    if not name:
        return ZoneInfo("UTC")
    if name not in _zone_names():
        raise InvalidArgument.of(field, "must be an IANA time zone such as America/New_York")
    return ZoneInfo(name)


# Doctors of one zone ask the same of the same day, by the hundred in one search.
@lru_cache(maxsize=16_384)
def instant_of(day: date, wall: time, zone: tzinfo) -> datetime:
    """The instant at which the clock of a zone shows a wall time on a day, in UTC.

    A repeated time is the first of the two; a skipped time is moved forward by the gap (fold=0 of PEP 495
    reads it with the offset before the gap, which is just that).
    """
    return datetime.combine(day, wall, tzinfo=zone).astimezone(UTC)


def end_of_wall(day: date, wall: time | None, zone: tzinfo) -> datetime:
    """Like instant_of, where None stands for 24:00, the midnight that ends the day."""
    if wall is None:
        return instant_of(day + timedelta(days=1), time.min, zone)
    return instant_of(day, wall, zone)


def day_of(instant: datetime, zone: tzinfo) -> date:
    """The date that the calendar of a zone shows at an instant."""
    return instant.astimezone(zone).date()


def require_aware(instant: datetime, name: str) -> None:
    """Refuses a naive datetime: in this code an instant always knows its zone."""
    if instant.tzinfo is None:
        raise ValueError(f"{name} must be timezone-aware")
