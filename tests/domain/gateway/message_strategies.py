"""Messages of any type, with values that have a JSON form, for properties that hold for every contract."""

from datetime import UTC, datetime

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import strategies as st

F = FieldDescriptor
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
_INT32, _INT64 = st.integers(-(2**31), 2**31 - 1), st.integers(-(2**63), 2**63 - 1)
_UINT32, _UINT64 = st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1)
_FINITE = {"allow_nan": False, "allow_infinity": False}
_SCALARS = {
    **dict.fromkeys((F.TYPE_INT32, F.TYPE_SINT32, F.TYPE_SFIXED32), _INT32),
    **dict.fromkeys((F.TYPE_INT64, F.TYPE_SINT64, F.TYPE_SFIXED64), _INT64),
    **dict.fromkeys((F.TYPE_UINT32, F.TYPE_FIXED32), _UINT32),
    **dict.fromkeys((F.TYPE_UINT64, F.TYPE_FIXED64), _UINT64),
    F.TYPE_FLOAT: st.floats(width=32, **_FINITE),
    F.TYPE_DOUBLE: st.floats(**_FINITE),
    F.TYPE_BOOL: st.booleans(),
    F.TYPE_STRING: TEXT,
    F.TYPE_BYTES: st.binary(max_size=8),
}
_DEEPEST = 2
_NANOS = st.one_of(st.just(0), st.integers(0, 999_999_999))
_SECONDS = st.datetimes().map(lambda moment: int(moment.replace(tzinfo=UTC, microsecond=0).timestamp()))
_FIRST_SECOND = int(datetime(1, 1, 1, tzinfo=UTC).timestamp())
_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.floats(**_FINITE), TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=5,
)


@st.composite
def messages(draw: st.DrawFn, descriptor: Descriptor, depth: int = 0) -> Message:
    """A message of a type, some of its fields set."""
    message = GetMessageClass(descriptor)()
    name = descriptor.full_name
    if name in _SPECIAL:
        _SPECIAL[name](draw, message)
        return message
    for field in descriptor.fields:
        if draw(st.booleans()) and (field.message_type is None or depth < _DEEPEST):
            _fill(draw, message, field, depth)
    return message


def _fill(draw: st.DrawFn, message: Message, field: FieldDescriptor, depth: int) -> None:
    kind = field.message_type
    if kind is not None and kind.GetOptions().map_entry:
        key, value = kind.fields_by_name["key"], kind.fields_by_name["value"]
        entries = getattr(message, field.name)
        for each in draw(st.lists(_SCALARS[key.type], max_size=2, unique=True)):
            if value.message_type is not None:
                entries[each].CopyFrom(draw(messages(value.message_type, depth + 1)))
            else:
                entries[each] = draw(_scalar(value))
    elif field.is_repeated:
        one = _scalar(field) if kind is None else messages(kind, depth + 1)
        getattr(message, field.name).extend(draw(st.lists(one, max_size=2)))
    elif kind is None:
        setattr(message, field.name, draw(_scalar(field)))
    else:
        getattr(message, field.name).CopyFrom(draw(messages(kind, depth + 1)))
        getattr(message, field.name).SetInParent()


def _scalar(field: FieldDescriptor) -> st.SearchStrategy:
    if field.enum_type is not None:
        return st.sampled_from([value.number for value in field.enum_type.values])
    return _SCALARS[field.type]


def _timestamp(draw: st.DrawFn, message: Message) -> None:
    message.seconds, message.nanos = max(draw(_SECONDS), _FIRST_SECOND), draw(_NANOS)


def _duration(draw: st.DrawFn, message: Message) -> None:
    sign = draw(st.sampled_from([-1, 1]))
    message.seconds, message.nanos = sign * draw(st.integers(0, 10**11)), sign * draw(_NANOS)


def _date(draw: st.DrawFn, message: Message) -> None:
    day = draw(st.dates())
    message.year, message.month, message.day = day.year, day.month, day.day


def _wall(draw: st.DrawFn, message: Message) -> None:
    wall = draw(st.one_of(st.times().map(lambda t: (t.hour, t.minute, t.second, t.microsecond * 1000)), _MIDNIGHT))
    message.hours, message.minutes, message.seconds, message.nanos = wall


def _mask(draw: st.DrawFn, message: Message) -> None:
    message.paths.extend(draw(st.lists(st.from_regex(r"[a-z]+(_[a-z]+)?(\.[a-z]+)?", fullmatch=True), max_size=3)))


def _value(draw: st.DrawFn, message: Message) -> None:
    _set_value(message, draw(_JSON))


def _set_value(message: Message, value: object) -> None:
    if value is None:
        message.null_value = 0
    elif isinstance(value, bool):
        message.bool_value = value
    elif isinstance(value, float):
        message.number_value = value
    elif isinstance(value, str):
        message.string_value = value
    elif isinstance(value, list):
        message.list_value.SetInParent()
        for item in value:
            _set_value(message.list_value.values.add(), item)
    else:
        message.struct_value.SetInParent()
        for key, item in value.items():
            _set_value(message.struct_value.fields[key], item)


def _struct(draw: st.DrawFn, message: Message) -> None:
    for key, item in draw(st.dictionaries(TEXT, _JSON, max_size=3)).items():
        _set_value(message.fields[key], item)


_MIDNIGHT = st.just((24, 0, 0, 0))
_SPECIAL = {
    "google.protobuf.Timestamp": _timestamp,
    "google.protobuf.Duration": _duration,
    "google.type.Date": _date,
    "google.type.TimeOfDay": _wall,
    "google.protobuf.FieldMask": _mask,
    "google.protobuf.Value": _value,
    "google.protobuf.Struct": _struct,
}
