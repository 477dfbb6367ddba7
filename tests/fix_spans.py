"""Spans that the code under test recorded, and the tree that they form."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter


@dataclass(frozen=True)
class Spans:
    """What was recorded since the test began."""

    exporter: InMemorySpanExporter

    def all(self) -> list[ReadableSpan]:
        return list(self.exporter.get_finished_spans())

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.all() if span.name == name]

    def tree(self) -> list[str]:
        """The spans, each indented below its parent, siblings in the order in which they started."""
        spans = sorted(self.all(), key=lambda span: span.start_time or 0)
        ids = {span.context.span_id for span in spans if span.context}

        def below(parent: int | None, depth: int) -> Iterator[str]:
            for span in spans:
                parent_id = span.parent.span_id if span.parent and span.parent.span_id in ids else None
                if parent_id == parent and span.context:
                    yield f"{'  ' * depth}{span.kind.name} {span.name}"
                    yield from below(span.context.span_id, depth + 1)

        return list(below(None, 0))


_exporter = InMemorySpanExporter()


@pytest.fixture
def spans() -> Iterator[Spans]:
    """Records every span of this process for the length of a test."""
    provider = trace.get_tracer_provider()
    if not isinstance(provider, TracerProvider):
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(_exporter))
        trace.set_tracer_provider(provider)
    _exporter.clear()
    yield Spans(_exporter)
    _exporter.clear()
