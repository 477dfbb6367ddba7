"""Traces as JSON: in a list with what tells them apart, and whole with every span."""

from stack.console.spans import Span
from stack.console.store import Trace

Json = dict[str, object]
_MILLISECONDS = 1_000_000


def summary(trace: Trace) -> Json:
    """A trace in a list; `root` is where it begins."""
    root = trace.roots[0] if trace.roots else trace.spans[0]
    return {
        "trace_id": trace.trace_id,
        "root": {"service": root.service, "name": root.name, "kind": root.kind},
        "start_time": trace.start // _MILLISECONDS,
        "duration_ms": trace.duration / _MILLISECONDS,
        "spans": len(trace.spans),
        "errors": sum(span.is_error for span in trace.spans),
        "services": sorted({span.service for span in trace.spans}),
    }


def whole(trace: Trace) -> Json:
    """A trace with its spans in the order of their tree; `dropped` were too many to keep."""
    start = trace.start
    return {
        **summary(trace),
        "orphans": [span.span_id for span in trace.orphans],
        "dropped": trace.dropped,
        "tree": [f"{'  ' * depth}{span.service} {span.kind} {span.name}" for depth, span in trace.in_order()],
        "all": [_span(span, depth, start) for depth, span in trace.in_order()],
    }


def _span(span: Span, depth: int, start: int) -> Json:
    return {
        "span_id": span.span_id,
        "parent_id": span.parent_id,
        "depth": depth,
        "service": span.service,
        "name": span.name,
        "kind": span.kind,
        "offset_ms": (span.start - start) / _MILLISECONDS,
        "duration_ms": span.duration / _MILLISECONDS,
        "error": span.is_error,
        "attributes": dict(span.attributes),
        "events": [
            {
                "name": event.name,
                "offset_ms": (event.time - start) / _MILLISECONDS,
                "attributes": dict(event.attributes),
            }
            for event in span.events
        ],
        "links": [{"trace_id": link.trace_id, "span_id": link.span_id} for link in span.links],
    }
