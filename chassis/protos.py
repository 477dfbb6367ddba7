"""Between protobuf's well-known types and Python's: instants, dates, wall times, enum names."""

import hashlib
from datetime import UTC, date, datetime, time, timedelta

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date
from google.type.timeofday_pb2 import TimeOfDay

from kernel.errors import InvalidArgument

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOURS_OF_MIDNIGHT = 24


def to_timestamp(instant: datetime) -> Timestamp:
    """An aware instant as a Timestamp, to the microsecond."""
    return Timestamp(**timestamp_fields(instant))


def timestamp_fields(instant: datetime) -> dict[str, int]:
    """The same as the fields of a Timestamp inside of another message, which is made from them in place."""
    delta = instant - _EPOCH
    return {"seconds": delta.days * 86_400 + delta.seconds, "nanos": delta.microseconds * 1000}


def to_instant(message: Message, field: str, *, label: str = "") -> datetime:
    """A required Timestamp field as an aware instant in UTC. Raises InvalidArgument when absent or out of range."""
    instant = to_optional_instant(message, field, label=label)
    if instant is None:
        raise InvalidArgument.of(label or field, "is required")
    return instant


def to_optional_instant(message: Message, field: str, *, label: str = "") -> datetime | None:
    """Like to_instant, where an absent field is None."""
    if not message.HasField(field):
        return None
    stamp: Timestamp = getattr(message, field)
    try:
        return _EPOCH + timedelta(seconds=stamp.seconds, microseconds=stamp.nanos // 1000)
    except OverflowError:
        raise InvalidArgument.of(label or field, "must lie between the years 1 and 9999") from None


def to_optional_date(message: Message, field: str, *, label: str = "") -> date | None:
    """A google.type.Date field as a date; an absent field is None. Raises InvalidArgument when there is no such day."""
    if not message.HasField(field):
        return None
    value: Date = getattr(message, field)
    try:
        return date(value.year, value.month, value.day)
    except ValueError:
        raise InvalidArgument.of(label or field, "must be a day of the calendar such as 2025-06-18") from None


def to_date(message: Message, field: str, *, label: str = "") -> date:
    """A required google.type.Date field as a date."""
    value = to_optional_date(message, field, label=label)
    if value is None:
        raise InvalidArgument.of(label or field, "is required, such as 2025-06-18")
    return value


def to_optional_wall(message: Message, field: str, *, label: str = "") -> time | None:
    """A google.type.TimeOfDay field as a wall time; an absent field is None."""
    if not message.HasField(field):
        return None
    value: TimeOfDay = getattr(message, field)
    try:
        return time(value.hours, value.minutes, value.seconds)
    except ValueError:
        raise InvalidArgument.of(label or field, "must be a time of day such as 09:00") from None


def is_midnight_end(message: Message, field: str) -> bool:
    """Whether a TimeOfDay field says 24:00."""
    if not message.HasField(field):
        return False
    value: TimeOfDay = getattr(message, field)
    return (value.hours, value.minutes, value.seconds, value.nanos) == (_HOURS_OF_MIDNIGHT, 0, 0, 0)


def from_date(day: date) -> Date:
    """A date as a google.type.Date."""
    return Date(year=day.year, month=day.month, day=day.day)


def from_wall(wall: time | None) -> TimeOfDay:
    """A wall time as a google.type.TimeOfDay; None stands for 24:00."""
    if wall is None:
        return TimeOfDay(hours=_HOURS_OF_MIDNIGHT)
    return TimeOfDay(hours=wall.hour, minutes=wall.minute, seconds=wall.second)


def fingerprint(request: Message) -> bytes:
    """A digest of what a request asks, its request_id left out: the same wish has the same fingerprint."""
    copy = type(request)()
    copy.CopyFrom(request)
    copy.ClearField("request_id")
    return hashlib.sha256(copy.SerializeToString(deterministic=True)).digest()
