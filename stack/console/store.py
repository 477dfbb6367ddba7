"""The spans of the last while, in memory: the newest traces whole, the oldest gone first."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from stack.console.spans import Span

MOST_SPANS = 50_000
# A trace that never ends, such as one that a program continues for ever, must not push out all others.
MOST_SPANS_A_TRACE = 2_000


@dataclass(slots=True)
class Trace:
    """What has arrived of one trace; `dropped` counts what was too much for it."""

    trace_id: str
    spans: list[Span] = field(default_factory=list)
    dropped: int = 0

    @property
    def start(self) -> int:
        """When its first span began, in nanoseconds since 1970."""
        return min(span.start for span in self.spans)

    @property
    def duration(self) -> int:
        """From its first beginning to its last end, in nanoseconds."""
        return max(0, max(span.end for span in self.spans) - self.start)

    @property
    def orphans(self) -> list[Span]:
        """Spans that name a parent which has not arrived; the root of a trace that a caller began is one too."""
        known = {span.span_id for span in self.spans}
        return [span for span in self.spans if span.parent_id and span.parent_id not in known]

    @property
    def roots(self) -> list[Span]:
        """Where its trees begin, the earliest first: in a trace that is whole there is one."""
        known = {span.span_id for span in self.spans}
        return sorted((span for span in self.spans if span.parent_id not in known), key=lambda span: span.start)

    def in_order(self) -> list[tuple[int, Span]]:
        """Every span below its parent, with its depth; siblings in the order in which they began."""
        below: dict[str, list[Span]] = {}
        for span in sorted(self.spans, key=lambda span: (span.start, -span.end)):
            below.setdefault(span.parent_id, []).append(span)
        ordered: list[tuple[int, Span]] = []
        waiting = [(0, root) for root in reversed(self.roots)]
        seen: set[str] = set()
        while waiting:
            depth, span = waiting.pop()
            if span.span_id in seen:  # two spans that call each other parent, or an id that came twice
                continue
            seen.add(span.span_id)
            ordered.append((depth, span))
            waiting += [(depth + 1, child) for child in reversed(below.get(span.span_id, []))]
        return ordered


class Store:
    """At most so many spans; whole traces leave, the one that came first before the others."""

    def __init__(self, most_spans: int = MOST_SPANS) -> None:
        self._most = most_spans
        self._traces: OrderedDict[str, Trace] = OrderedDict()
        self.spans = 0
        self.received = 0
        self.forgotten = 0

    def add(self, spans: Iterable[Span]) -> None:
        """Keeps spans; what is too much of one trace is only counted."""
        for span in spans:
            self.received += 1
            trace = self._traces.get(span.trace_id)
            if trace is None:
                trace = self._traces[span.trace_id] = Trace(span.trace_id)
            if len(trace.spans) >= MOST_SPANS_A_TRACE:
                trace.dropped += 1
                continue
            trace.spans.append(span)
            self.spans += 1
        while self.spans > self._most:
            _, oldest = self._traces.popitem(last=False)
            self.spans -= len(oldest.spans)
            self.forgotten += len(oldest.spans)

    def trace(self, trace_id: str) -> Trace | None:
        """One trace, or None when nothing of it is here."""
        return self._traces.get(trace_id)

    def __len__(self) -> int:
        return len(self._traces)

    def newest_first(self) -> Iterator[Trace]:
        """Every trace, the one that came last first."""
        return reversed(self._traces.values())

    def since(self, instant: int) -> Iterator[Span]:
        """The spans that ended after an instant, in nanoseconds since 1970."""
        for trace in self._traces.values():
            yield from (span for span in trace.spans if span.end >= instant)
