"""A span as the console keeps it: no more of it than is shown, and never more than a fixed size."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Status
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage

_MOST_ATTRIBUTES = 64
_MOST_EVENTS = 64
_MOST_LINKS = 128
_LONGEST_TEXT = 2_048
_TRACE_ID_BYTES, _SPAN_ID_BYTES = 16, 8
_UNKNOWN_SERVICE = "unknown"

_KINDS: dict[int, str] = {number: name.removeprefix("SPAN_KIND_") for name, number in SpanMessage.SpanKind.items()}

Value = str | int | float | bool
Attributes = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened within a span; nanoseconds since 1970."""

    name: str
    time: int
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class Link:
    """Another span that this one was caused by, perhaps of another trace; ids in hexadecimal."""

    trace_id: str
    span_id: str


@dataclass(frozen=True, slots=True)
class Span:
    """Ids are hexadecimal, `parent_id` is empty for a root; times are nanoseconds since 1970."""

    trace_id: str
    span_id: str
    parent_id: str
    service: str
    name: str
    kind: str
    start: int
    end: int
    is_error: bool
    attributes: Attributes
    events: tuple[Event, ...] = ()
    links: tuple[Link, ...] = ()

    @property
    def duration(self) -> int:
        """In nanoseconds; never negative, whatever the sender's clock did."""
        return max(0, self.end - self.start)


def spans_of(resources: Iterable[ResourceSpans]) -> list[Span]:
    """The spans of an export request, in its order; one without valid ids is left out, for nothing can refer to it."""
    found: list[Span] = []
    for resource in resources:
        service = str(_attributes(resource.resource.attributes).get("service.name", _UNKNOWN_SERVICE))
        for scope in resource.scope_spans:
            found += [_span(service, span) for span in scope.spans if _has_ids(span)]
    return found


def _has_ids(message: SpanMessage) -> bool:
    return (len(message.trace_id), len(message.span_id)) == (_TRACE_ID_BYTES, _SPAN_ID_BYTES)


def _span(service: str, message: SpanMessage) -> Span:
    return Span(
        trace_id=message.trace_id.hex(),
        span_id=message.span_id.hex(),
        parent_id=message.parent_span_id.hex(),
        service=_short(service),
        name=_short(message.name),
        kind=_kind(message.kind),
        start=message.start_time_unix_nano,
        end=message.end_time_unix_nano,
        is_error=message.status.code == Status.STATUS_CODE_ERROR,
        attributes=_attributes(message.attributes),
        events=tuple(
            Event(_short(event.name), event.time_unix_nano, _attributes(event.attributes))
            for event in message.events[:_MOST_EVENTS]
        ),
        links=tuple(Link(link.trace_id.hex(), link.span_id.hex()) for link in message.links[:_MOST_LINKS]),
    )


def _kind(number: int) -> str:
    return _KINDS.get(number, "UNSPECIFIED")


def _attributes(pairs: Iterable[KeyValue]) -> dict[str, Value]:
    return {_short(pair.key): _value(pair.value) for pair, _ in zip(pairs, range(_MOST_ATTRIBUTES), strict=False)}


def _value(value: AnyValue) -> Value:
    kind = value.WhichOneof("value")
    if kind is None:
        return ""
    plain: Any = getattr(value, kind)
    return plain if isinstance(plain, (bool, int, float)) else _short(str(plain))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"
