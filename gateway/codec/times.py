"""Times as JSON has them: Timestamp, Duration, Date and TimeOfDay, each one text."""

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date
from google.type.timeofday_pb2 import TimeOfDay

from gateway.codec.errors import BadValue

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - naive on purpose: it is only ever printed, with a Z after it
_EPOCH_UTC = datetime(1970, 1, 1, tzinfo=UTC)
_DATE = r"(\d{4}-\d{2}-\d{2})"
_CLOCK = r"(\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?"
_TIMESTAMP = re.compile(rf"{_DATE}[Tt ]{_CLOCK}([Zz]|[+-]\d{{2}}:\d{{2}})", re.ASCII)
_TIME_OF_DAY = re.compile(r"(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?", re.ASCII)
_DURATION = re.compile(r"(-?)(\d{1,12})(?:\.(\d{1,9}))?s", re.ASCII)
_LONGEST_DURATION = 315_576_000_000
_LAST_HOUR, _LAST_MINUTE, _LAST_SECOND = 23, 59, 59


def write_timestamp(message: Timestamp) -> str:
    """RFC 3339 in UTC, with a fraction only when there is one: `2025-06-18T09:00:00Z`."""
    whole = _whole_seconds(message.seconds)
    nanos = message.nanos
    return f"{whole[:-1]}{_fraction(nanos)}Z" if nanos else whole


@lru_cache(maxsize=8192)
def _whole_seconds(seconds: int) -> str:
    # Answers about free times hold the same few instants again and again.
    return f"{(_EPOCH + timedelta(seconds=seconds)).isoformat()}Z"


def read_timestamp(message: Timestamp, value: object) -> None:
    """From RFC 3339 with any offset; the years 1 to 9999 in UTC."""
    instant, nanos = _instant(value)
    try:
        since = instant - _EPOCH_UTC
        instant.astimezone(UTC)
    except OverflowError:
        raise BadValue("must lie between the years 1 and 9999") from None
    message.seconds = since.days * 86_400 + since.seconds
    message.nanos = nanos


def _instant(value: object) -> tuple[datetime, int]:
    """The aware time to the second, with its own offset, and the nanoseconds after it."""
    found = _TIMESTAMP.fullmatch(value) if type(value) is str else None
    if found is None:
        raise BadValue("must be an RFC 3339 time such as 2025-06-18T09:00:00Z")
    day, clock, fraction, offset = found.groups()
    try:
        return datetime.fromisoformat(f"{day}T{clock}{offset.upper()}"), _nanos(fraction)
    except ValueError:
        raise BadValue("must be a time that the calendar has, such as 2025-06-18T09:00:00Z") from None


def write_duration(message: Duration) -> str:
    """Seconds with an s: `3s`, `-1.500s`."""
    sign = "-" if message.seconds < 0 or message.nanos < 0 else ""
    return f"{sign}{abs(message.seconds)}{_fraction(abs(message.nanos))}s"


def read_duration(message: Duration, value: object) -> None:
    """From seconds with an s, within the 10,000 years that protobuf allows."""
    found = _DURATION.fullmatch(value) if type(value) is str else None
    if found is None or int(found[2]) > _LONGEST_DURATION:
        raise BadValue("must be a length in seconds such as 3s or 1.5s")
    sign = -1 if found[1] else 1
    message.seconds = sign * int(found[2])
    message.nanos = sign * _nanos(found[3])


def write_date(message: Date) -> str:
    """`2025-06-18`; parts that are not given are zeros."""
    return f"{message.year:04}-{message.month:02}-{message.day:02}"


def read_date(message: Date, value: object) -> None:
    """From a day of the calendar."""
    if type(value) is not str or not re.fullmatch(_DATE, value, re.ASCII):
        raise BadValue("must be a date such as 2025-06-18")
    try:
        day = date.fromisoformat(value)
    except ValueError:
        raise BadValue("must be a day of the calendar such as 2025-06-18") from None
    message.year, message.month, message.day = day.year, day.month, day.day


def write_time_of_day(message: TimeOfDay) -> str:
    """`09:00`, with seconds only when there are some."""
    text = f"{message.hours:02}:{message.minutes:02}"
    if message.seconds or message.nanos:
        text += f":{message.seconds:02}{_fraction(message.nanos)}"
    return text


def read_time_of_day(message: TimeOfDay, value: object) -> None:
    """From `09:00` or `09:00:30`, `24:00` included, or from an RFC 3339 time, whose own clock counts."""
    if type(value) is str and _TIMESTAMP.fullmatch(value):
        instant, nanos = _instant(value)
        parts = instant.hour, instant.minute, instant.second, nanos
    else:
        parts = _time_of_day(value)
    message.hours, message.minutes, message.seconds, message.nanos = parts


def _time_of_day(value: object) -> tuple[int, int, int, int]:
    found = _TIME_OF_DAY.fullmatch(value) if type(value) is str else None
    if found is None:
        raise BadValue("must be a time of day such as 09:00")
    hours, minutes, seconds, nanos = int(found[1]), int(found[2]), int(found[3] or 0), _nanos(found[4])
    is_midnight_end = (hours, minutes, seconds, nanos) == (_LAST_HOUR + 1, 0, 0, 0)
    if not is_midnight_end and (hours > _LAST_HOUR or minutes > _LAST_MINUTE or seconds > _LAST_SECOND):
        raise BadValue("must be a time of day between 00:00 and 24:00")
    return hours, minutes, seconds, nanos


def _nanos(fraction: str | None) -> int:
    return int(fraction.ljust(9, "0")) if fraction else 0


def _fraction(nanos: int) -> str:
    """Nothing, or a point and 3, 6 or 9 digits."""
    if not nanos:
        return ""
    digits = f"{nanos:09}"
    return "." + (digits[:3] if digits.endswith("000000") else digits[:6] if digits.endswith("000") else digits)
