"""OpenTelemetry for a process: the tracer, where spans go, and W3C trace context in and out of metadata."""

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased, TraceIdRatioBased
from opentelemetry.trace import INVALID_SPAN, Link, Span, SpanContext, SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from chassis.metrics import tell_build

# Made once, before there is a provider: it passes on to the process's own as soon as that is set. Asking for a tracer
# makes a new one each time, and every call does so several times.
_tracer = trace.get_tracer("telemed")
_propagator = TraceContextTextMapPropagator()
TRACEPARENT = "traceparent"
_NO_SPAN = nullcontext(INVALID_SPAN)
_QUEUED_SPANS = 16_384
LONGEST_ATTRIBUTE = 1024
Attributes = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Telemetry:
    """The tracing of one process."""

    provider: TracerProvider

    def shutdown(self) -> None:
        """Sends what is left and stops."""
        self.provider.shutdown()


def start_telemetry(service: str, otlp_endpoint: str, sample_ratio: float) -> Telemetry:
    """Makes this process record spans, and send them by OTLP/HTTP when an endpoint is given.

    `service` is the resource's service.name; `otlp_endpoint` is a base address, to which /v1/traces is added.
    """
    tell_build(service)
    provider = TracerProvider(
        resource=Resource.create({"service.name": service, "service.namespace": "telemed"}),
        # Spans that nobody receives are not worth recording; contexts are made and passed on all the same.
        sampler=ParentBased(TraceIdRatioBased(sample_ratio)) if otlp_endpoint else ALWAYS_OFF,
        span_limits=SpanLimits(max_events=32, max_attribute_length=LONGEST_ATTRIBUTE),
    )
    if otlp_endpoint:
        exporter = OTLPSpanExporter(endpoint=f"{otlp_endpoint.rstrip('/')}/v1/traces")
        provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=_queue_size()))
    trace.set_tracer_provider(provider)
    return Telemetry(provider)


def _queue_size() -> int | None:
    # None leaves OpenTelemetry's own variable, or its default, which a burst of a few hundred calls overflows: what is
    # too much is dropped, and its children are left without a parent.
    return None if "OTEL_BSP_MAX_QUEUE_SIZE" in os.environ else _QUEUED_SPANS


def tracer() -> Tracer:
    """The tracer of all our code."""
    return _tracer


def is_recorded() -> bool:
    """Whether the running work belongs to a trace that somebody records."""
    return trace.get_current_span().get_span_context().trace_flags.sampled


def server_span(
    name: str, context: Context | None, attributes: Attributes, *, lasts: bool
) -> AbstractContextManager[Span]:
    """A SERVER span for as long as the block runs.

    One that `lasts`, as that of a stream does, reaches its receiver when it ends, in hours perhaps or never. What is
    done meanwhile is therefore not recorded: it would be there long before its parent.
    """
    if lasts:
        return _lasting_span(name, context, attributes)
    return _tracer.start_as_current_span(
        name,
        context=context,
        kind=SpanKind.SERVER,
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    )


@contextmanager
def _lasting_span(name: str, context: Context | None, attributes: Attributes) -> Iterator[Span]:
    span = _tracer.start_span(name, context=context, kind=SpanKind.SERVER, attributes=attributes)
    own = span.get_span_context()
    unrecorded = trace.NonRecordingSpan(SpanContext(own.trace_id, own.span_id, is_remote=False))
    try:
        with trace.use_span(unrecorded, record_exception=False, set_status_on_exception=False):
            yield span
    finally:
        span.end()


def client_span(name: str, attributes: Attributes) -> AbstractContextManager[Span]:
    """A CLIENT span for as long as the block runs; none in a trace that nobody records, for it would only cost time.

    None outside of a trace either: a trace begins with a request or with a batch of the feed, and the statements by
    which a process looks round several times a second would bury those. Their metrics are kept all the same.
    """
    if not is_recorded():
        return _NO_SPAN
    return _tracer.start_as_current_span(
        name, kind=SpanKind.CLIENT, attributes=attributes, record_exception=False, set_status_on_exception=False
    )


def detached_client_span(name: str, attributes: Attributes) -> Span:
    """A CLIENT span that is not made the current one, for a generator, which may be closed in another context.

    Whoever asks for it ends it. Unrecorded, it is one that can be ended and passed on like any other.
    """
    if not is_recorded():
        return trace.NonRecordingSpan(trace.get_current_span().get_span_context())
    return _tracer.start_span(name, kind=SpanKind.CLIENT, attributes=attributes)


def past_client_span(name: str, attributes: Attributes, started: int, error_type: str = "") -> None:
    """Records a CLIENT span that began at `started`, in nanoseconds since 1970, and ends now."""
    span = _tracer.start_span(name, kind=SpanKind.CLIENT, attributes=attributes, start_time=started)
    if error_type:
        note_error(span, error_type)
    span.end()


def note_error(span: Span, error_type: str) -> None:
    """Marks what a span stands for as failed. Without a description: texts of errors quote data."""
    span.set_attribute("error.type", error_type)
    span.set_status(Status(StatusCode.ERROR))


def context_from(carrier: Mapping[str, str]) -> Context | None:
    """The trace context that a carrier brings; None when it brings none."""
    return _propagator.extract(carrier) if TRACEPARENT in carrier else None


def inject(carrier: dict[str, str], span: Span | None = None) -> None:
    """Writes a span's context into a carrier; without a span, the current one's."""
    _propagator.inject(carrier, None if span is None else trace.set_span_in_context(span))


def current_traceparent() -> str:
    """The traceparent of the current span; empty when nothing is recorded."""
    carrier: dict[str, str] = {}
    inject(carrier)
    return carrier.get(TRACEPARENT, "")


def current_trace_id() -> str:
    """The 32 hexadecimal digits of the current trace; empty outside of one."""
    context = trace.get_current_span().get_span_context()
    return f"{context.trace_id:032x}" if context.is_valid else ""


def link_to(traceparent: str) -> list[Link]:
    """A link to the span that a traceparent names, for work that was caused by it but is not part of it."""
    if not traceparent:
        return []
    span_context = trace.get_current_span(_propagator.extract({TRACEPARENT: traceparent})).get_span_context()
    return [Link(span_context)] if span_context.is_valid else []
