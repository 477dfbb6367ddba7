"""What the spans of the last while say together: who calls whom, how often, how fast, and which statements are slow."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from stack.console.spans import Span
from stack.console.store import Store

_MILLISECONDS = 1_000_000
_SECONDS = 1_000_000_000
_SERVING = frozenset({"SERVER", "CONSUMER"})
Find = Callable[[str, str], Span | None]
Numbers = dict[str, object]


@dataclass(slots=True)
class _Tally:
    """Calls of one kind: how many, how many failed, how long each took; and the slowest, to look at."""

    durations: list[int] = field(default_factory=list)
    errors: int = 0
    slowest: Span | None = None

    def count(self, span: Span) -> None:
        self.durations.append(span.duration)
        self.errors += span.is_error
        if self.slowest is None or span.duration > self.slowest.duration:
            self.slowest = span

    def numbers(self, seconds: float) -> Numbers:
        ordered = sorted(self.durations)
        return {
            "count": len(ordered),
            "errors": self.errors,
            "per_second": round(len(ordered) / seconds, 3),
            "p50_ms": _ms(_percentile(ordered, 50)),
            "p95_ms": _ms(_percentile(ordered, 95)),
            "max_ms": _ms(ordered[-1]),
            "total_ms": _ms(sum(ordered)),
            "slowest_trace_id": self.slowest.trace_id if self.slowest else "",
        }


def service_map(store: Store, now: int, window_seconds: float) -> dict[str, list[Numbers]]:
    """Every service, database and provider as a node, and who asked whom as edges.

    `now` is in nanoseconds since 1970. A dashed edge (`"linked": true`) is work that was caused and not asked for, as
    the copy of a change is.
    """
    spans, seconds = _window(store, now, window_seconds)
    find = _finder(store)
    nodes: dict[str, _Tally] = {}
    kinds: dict[str, str] = {}
    edges: dict[tuple[str, str, bool], _Tally] = {}
    for span in spans:
        kinds.setdefault(span.service, "service")
        if span.kind in _SERVING:
            nodes.setdefault(span.service, _Tally()).count(span)
            for caller, linked in _causes(span, find):
                edges.setdefault((caller, span.service, linked), _Tally()).count(span)
        elif place := _outside(span):
            name, kinds[name] = place[0], place[1]
            nodes.setdefault(name, _Tally()).count(span)
            edges.setdefault((span.service, name, False), _Tally()).count(span)
    return {
        "nodes": [
            {"name": name, "kind": kind, **(nodes[name].numbers(seconds) if name in nodes else {"count": 0})}
            for name, kind in sorted(kinds.items())
        ],
        "edges": [
            {"from": caller, "to": called, "linked": linked, **tally.numbers(seconds)}
            for (caller, called, linked), tally in sorted(edges.items())
        ],
    }


def statements(store: Store, now: int, window_seconds: float) -> list[Numbers]:
    """The named statements, those first that took most time in all."""
    spans, seconds = _window(store, now, window_seconds)
    return _tables(
        (span for span in spans if "db.system.name" in span.attributes),
        lambda span: (span.service, str(span.attributes.get("db.query.summary", span.name))),
        ("service", "statement"),
        seconds,
        lambda span: {"text": str(span.attributes.get("db.query.text", ""))},
    )


def operations(store: Store, now: int, window_seconds: float) -> list[Numbers]:
    """What the services were asked, by service and name, those first that took most time in all."""
    spans, seconds = _window(store, now, window_seconds)
    return _tables(
        (span for span in spans if span.kind in _SERVING),
        lambda span: (span.service, span.name),
        ("service", "name"),
        seconds,
        lambda _: {},
    )


def _tables(
    spans: Iterable[Span],
    key: Callable[[Span], tuple[str, str]],
    names: tuple[str, str],
    seconds: float,
    more: Callable[[Span], Mapping[str, object]],
) -> list[Numbers]:
    tallies: dict[tuple[str, str], _Tally] = {}
    for span in spans:
        tallies.setdefault(key(span), _Tally()).count(span)
    ordered = sorted(tallies.items(), key=lambda item: -sum(item[1].durations))
    return [
        {
            **dict(zip(names, found, strict=True)),
            **tally.numbers(seconds),
            **(more(tally.slowest) if tally.slowest else {}),
        }
        for found, tally in ordered
    ]


def _window(store: Store, now: int, seconds: float) -> tuple[list[Span], float]:
    """The spans of the last seconds, and how many of those seconds there are spans of: the rest were not watched."""
    found = list(store.since(now - int(seconds * _SECONDS)))
    watched = (now - min((span.start for span in found), default=now)) / _SECONDS
    return found, max(1.0, min(seconds, watched))


def _finder(store: Store) -> Find:
    known: dict[str, dict[str, Span]] = {}

    def find(trace_id: str, span_id: str) -> Span | None:
        if trace_id not in known:
            trace = store.trace(trace_id)
            known[trace_id] = {span.span_id: span for span in trace.spans} if trace else {}
        return known[trace_id].get(span_id)

    return find


def _causes(span: Span, find: Find) -> set[tuple[str, bool]]:
    causes = set()
    parent = find(span.trace_id, span.parent_id) if span.parent_id else None
    if parent is not None and parent.service != span.service:
        causes.add((parent.service, False))
    for link in span.links:
        cause = find(link.trace_id, link.span_id)
        if cause is not None and cause.service != span.service:
            causes.add((cause.service, True))
    return causes


def _outside(span: Span) -> tuple[str, str] | None:
    """What a CLIENT span asked that sends no spans itself: a database, or a provider of media."""
    if span.kind != "CLIENT":
        return None
    if system := span.attributes.get("db.system.name"):
        return str(span.attributes.get("db.namespace", system)), "database"
    if provider := span.attributes.get("video.provider"):
        return str(provider), "provider"
    return None


def _percentile(ordered: list[int], percent: int) -> int:
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def _ms(nanoseconds: int) -> float:
    return round(nanoseconds / _MILLISECONDS, 3)
