"""The clock of a process: real time, or real time moved by a constant so that a demo can live on another day."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """The instant now, in UTC."""
    return datetime.now(UTC)


def moved_clock(shows: datetime, at: datetime) -> Clock:
    """A clock that showed `shows` at the real instant `at` and has ticked on since; both aware."""
    offset: timedelta = shows - at
    return lambda: system_clock() + offset


def clock_from(shows: datetime | None, at: datetime | None) -> Clock:
    """The clock that TELEMED_NOW and TELEMED_NOW_AT ask for; without them, the system's.

    Without TELEMED_NOW_AT the clock starts when the process does. A supervisor passes both, so that all of its
    processes agree, a restarted one too.
    """
    if shows is None:
        return system_clock
    return moved_clock(shows, at or system_clock())


def lead_of(clock: Clock) -> timedelta:
    """How far a clock is ahead of the system's; negative when it is behind."""
    return timedelta(0) if clock is system_clock else clock() - system_clock()
