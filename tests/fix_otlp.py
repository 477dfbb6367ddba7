"""A receiver of OTLP/HTTP traces, as a collector is one, that keeps every span it is sent."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass(frozen=True)
class Received:
    """One span and the service that sent it."""

    service: str
    span: Span

    def attribute(self, name: str) -> str | int:
        """The value of an attribute, or an empty text."""
        for pair in self.span.attributes:
            if pair.key == name:
                return pair.value.string_value or pair.value.int_value
        return ""


@dataclass
class Receiver:
    """The spans so far; `url` is the base address for OTEL_EXPORTER_OTLP_ENDPOINT."""

    url: str
    spans: list[Received] = field(default_factory=list)

    def take(self, body: bytes) -> None:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            service = next(a.value.string_value for a in resource.resource.attributes if a.key == "service.name")
            self.spans += [Received(service, span) for scope in resource.scope_spans for span in scope.spans]

    def trace(self, trace_id: str) -> list[Received]:
        return [received for received in self.spans if received.span.trace_id.hex() == trace_id]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Receives on a loopback port of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            receiver.take(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver = Receiver(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def tree_of(spans: list[Received]) -> list[str]:
    """The spans of a trace, each indented below its parent, siblings in the order in which they started."""
    ids = {received.span.span_id for received in spans}

    def below(parent: bytes, depth: int) -> Iterator[str]:
        for received in sorted(spans, key=lambda r: r.span.start_time_unix_nano):
            span = received.span
            parent_id = span.parent_span_id if span.parent_span_id in ids else b""
            if parent_id == parent:
                kind = Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_")
                yield f"{'  ' * depth}{received.service} {kind} {span.name}"
                yield from below(span.span_id, depth + 1)

    return list(below(b"", 0))
