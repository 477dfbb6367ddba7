"""Finding traces: by what one of their spans is, and by how long they took."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from stack.console.spans import Span
from stack.console.store import Store, Trace

MOST_RESULTS = 500
_RESULTS = 50
_NANOSECONDS = 1_000_000


class BadSearchError(Exception):
    """A search that makes no sense; the message names the parameter and what would work."""


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for. Empty texts and None stand for anything; durations are of the whole trace."""

    service: str = ""
    name: str = ""
    status: str = ""
    least_ms: float | None = None
    most_ms: float | None = None
    attribute: str = ""
    value: str | None = None
    trace_id: str = ""
    limit: int = _RESULTS

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Search":
        """The search that the parameters of a URL ask for. Raises BadSearchError."""
        unknown = sorted(set(query) - _PARAMETERS)
        if unknown:
            raise BadSearchError(f"{unknown[0]} is no parameter; there are {', '.join(sorted(_PARAMETERS))}")
        status = query.get("status", "")
        if status not in {"", "ok", "error"}:
            raise BadSearchError("status is ok or error")
        attribute, equals, value = query.get("attribute", "").partition("=")
        limit = _number(query, "limit")
        if limit is not None and not 1 <= limit <= MOST_RESULTS:
            raise BadSearchError(f"limit is 1 to {MOST_RESULTS}")
        return cls(
            service=query.get("service", ""),
            name=query.get("name", "").casefold(),
            status=status,
            least_ms=_number(query, "min_ms"),
            most_ms=_number(query, "max_ms"),
            attribute=attribute.strip(),
            value=value.strip() if equals else None,
            trace_id=query.get("trace_id", "").strip().lower(),
            limit=int(limit or _RESULTS),
        )

    def run(self, store: Store) -> list[Trace]:
        """The newest traces that fit."""
        if self.trace_id:
            found = store.trace(self.trace_id)
            return [found] if found and self._fits(found) else []
        return list(islice(self._fitting(store.newest_first()), self.limit))

    def _fitting(self, traces: Iterable[Trace]) -> Iterator[Trace]:
        return (trace for trace in traces if self._fits(trace))

    def _fits(self, trace: Trace) -> bool:
        if self.least_ms is not None and trace.duration < self.least_ms * _NANOSECONDS:
            return False
        if self.most_ms is not None and trace.duration > self.most_ms * _NANOSECONDS:
            return False
        if self.status == "ok" and any(span.is_error for span in trace.spans):
            return False
        return any(self._is_wanted(span) for span in trace.spans)

    def _is_wanted(self, span: Span) -> bool:
        if self.status == "error" and not span.is_error:
            return False
        if self.service and span.service != self.service:
            return False
        if self.name and self.name not in span.name.casefold():
            return False
        if not self.attribute:
            return True
        held = span.attributes.get(self.attribute)
        return held is not None and (self.value is None or str(held) == self.value)


_PARAMETERS = frozenset({"service", "name", "status", "min_ms", "max_ms", "attribute", "trace_id", "limit"})


def _number(query: Mapping[str, str], name: str) -> float | None:
    text = query.get(name, "")
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise BadSearchError(f"{name} is a number from 0 on")
    return number
