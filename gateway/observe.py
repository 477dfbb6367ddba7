"""What is noted about each HTTP request: a SERVER span by the semantic conventions, one log line, one request id."""

import logging
import re
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field

from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind

from chassis.metrics import exemplar, labelled_http_request
from chassis.telemetry import TRACEPARENT, context_from, current_trace_id, link_to, note_error, tracer
from gateway.http import Request
from gateway.numbers import active_requests

access_log = logging.getLogger("telemed.access")

REQUEST_ID = "x-request-id"
_SANE_ID = re.compile(r"[A-Za-z0-9._\-]{1,128}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"})
_SERVER_ERROR = 500
# Asked by container engines and balancers every few seconds, for ever: they are counted and logged, and in no trace.
_PROBED = frozenset({"/healthz", "/readyz"})
_UNRECORDED = nullcontext(INVALID_SPAN)


@dataclass(slots=True)
class Exchange:
    """What is known of a request under way. The path itself is not noted: it holds the ids of people."""

    span: Span
    request_id: str
    trace_id: str
    route: str = ""
    status: int = 0
    error_type: str = ""
    broken_by: int = 0  # the status that a stream would have had, had what ended it come first
    headers: dict[str, str] = field(default_factory=dict)

    def routed_to(self, route: str, method: str) -> None:
        """Names the exchange after the template of its route."""
        self.route = route
        self.span.update_name(f"{method} {route}")
        self.span.set_attribute("http.route", route)


@contextmanager
def observed(request: Request, *, continues: bool) -> Iterator[Exchange]:
    """Watches over one exchange; whoever answers sets its `status`.

    `continues` when callers are trusted with traces: the exchange is then part of the caller's. Otherwise it begins
    one of its own, linked to the caller's: a stranger decides neither what is recorded nor where it is filed.
    """
    started = time.perf_counter()
    method = request.method if request.method in _METHODS else "_OTHER"
    with (
        _UNRECORDED
        if request.path in _PROBED
        else tracer().start_as_current_span(
            "HTTP" if method == "_OTHER" else method,
            context=context_from(request.headers) if continues else Context(),
            links=None if continues else link_to(request.headers.get(TRACEPARENT, "")),
            kind=SpanKind.SERVER,
            attributes={"http.request.method": method, "url.scheme": "http"},
            record_exception=False,
            set_status_on_exception=False,
        ) as span
    ):
        trace_id = current_trace_id() or uuid.uuid4().hex
        asked = request.headers.get(REQUEST_ID, "")
        exchange = Exchange(span, asked if _SANE_ID.fullmatch(asked) else trace_id, trace_id)
        in_hand = active_requests.labels(method)
        in_hand.inc()
        try:
            yield exchange
        finally:
            in_hand.dec()
            _finish(exchange)
            seconds = time.perf_counter() - started
            status = str(exchange.status or "cancelled")
            labelled_http_request(method, exchange.route or "unknown", status).observe(seconds, exemplar())
            access_log.info(
                "http",
                extra={
                    "request_id": exchange.request_id,
                    "http_method": method,
                    "http_route": exchange.route,
                    "http_status": exchange.status,
                    "duration_ms": round(seconds * 1000, 1),
                    **({"reason": exchange.error_type} if exchange.error_type else {}),
                },
            )


def _finish(exchange: Exchange) -> None:
    if exchange.status:
        exchange.span.set_attribute("http.response.status_code", exchange.status)
    if exchange.status >= _SERVER_ERROR or exchange.broken_by >= _SERVER_ERROR or not exchange.status:
        # No status at all: the client went, or the process was told to stop, before there was an answer.
        note_error(exchange.span, exchange.error_type or str(exchange.status or "cancelled"))
