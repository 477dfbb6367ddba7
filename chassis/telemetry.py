"""OpenTelemetry for a process: the tracer, where spans go, and W3C trace context in and out of metadata."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased, TraceIdRatioBased
from opentelemetry.trace import INVALID_SPAN, Link, Span, SpanKind, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

# Made once, before there is a provider: it passes on to the process's own as soon as that is set. Asking for a tracer
# makes a new one each time, and every call does so several times.
_tracer = trace.get_tracer("telemed")
_propagator = TraceContextTextMapPropagator()
TRACEPARENT = "traceparent"
_NO_SPAN = nullcontext(INVALID_SPAN)


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
    provider = TracerProvider(
        resource=Resource.create({"service.name": service, "service.namespace": "telemed"}),
        # Spans that nobody receives are not worth recording; contexts are made and passed on all the same.
        sampler=ParentBased(TraceIdRatioBased(sample_ratio)) if otlp_endpoint else ALWAYS_OFF,
        span_limits=SpanLimits(max_events=32, max_attribute_length=1024),
    )
    if otlp_endpoint:
        exporter = OTLPSpanExporter(endpoint=f"{otlp_endpoint.rstrip('/')}/v1/traces")
        provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return Telemetry(provider)


def tracer() -> Tracer:
    """The tracer of all our code."""
    return _tracer


def client_span(name: str, attributes: Mapping[str, str]) -> AbstractContextManager[Span]:
    """A CLIENT span for as long as the block runs; in a trace that nobody records none, for it would only cost time."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid and not context.trace_flags.sampled:
        return _NO_SPAN
    return _tracer.start_as_current_span(
        name, kind=SpanKind.CLIENT, attributes=attributes, record_exception=False, set_status_on_exception=False
    )


def context_from(carrier: Mapping[str, str]) -> Context | None:
    """The trace context that a carrier brings; None when it brings none."""
    return _propagator.extract(carrier) if TRACEPARENT in carrier else None


def inject(carrier: dict[str, str]) -> None:
    """Writes the current span's context into a carrier."""
    _propagator.inject(carrier)


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
