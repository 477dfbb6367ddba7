"""Patches of the calendar that a service reckons with; they import no service, so that they come before its imports."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo

from kernel import civil_time


def forget_summer_time() -> None:
    """Wall times are read with the offset that the zone has in January."""

    def instant_of(day: date, wall: time, zone: tzinfo) -> datetime:
        winter = datetime.combine(day.replace(month=1, day=1), time(12), tzinfo=zone).utcoffset() or timedelta()
        return datetime.combine(day, wall, tzinfo=UTC) - winter

    civil_time.instant_of = instant_of  # type: ignore[assignment]  # without its cache


def forget_zones() -> None:
    """Wall times are read as if every doctor lived in Greenwich."""

    def instant_of(day: date, wall: time, zone: tzinfo) -> datetime:  # noqa: ARG001 - as it is called
        return datetime.combine(day, wall, tzinfo=UTC)

    civil_time.instant_of = instant_of  # type: ignore[assignment]  # without its cache
