"""A statement as it is watched: a span by the database conventions, and an observation of how long it took."""

import time
from types import TracebackType

import psycopg
from opentelemetry.trace import INVALID_SPAN

from chassis.metrics import CONTENTION, contention, exemplar, statements
from chassis.sql import Query
from chassis.telemetry import LONGEST_ATTRIBUTE, Attributes, client_span, is_recorded, note_error


class Watched:
    """A CLIENT span by the database conventions and an observation; a failed statement leaves its SQLSTATE, no text."""

    __slots__ = ("_manager", "_name", "_span", "_started")

    def __init__(self, query: Query, place: Attributes, *, batch: int = 1) -> None:
        self._name = query.name
        self._manager = client_span(query.name, _attributes(query, place, batch)) if is_recorded() else None

    def __enter__(self) -> None:
        self._span = self._manager.__enter__() if self._manager else INVALID_SPAN
        self._started = time.perf_counter()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        seconds = time.perf_counter() - self._started
        failure = ""
        if error is not None:
            state = error.sqlstate if isinstance(error, psycopg.Error) else None
            failure = state or type(error).__name__
            if state in CONTENTION:
                contention.labels(state).inc()
            if state:
                self._span.set_attribute("db.response.status_code", state)
            note_error(self._span, failure)
        statements.labels(self._name, failure).observe(seconds, exemplar())
        if self._manager:
            self._manager.__exit__(kind, error, trace)


def _attributes(query: Query, place: Attributes, batch: int) -> Attributes:
    # The text has placeholders where values go, so that it can be shown; its beginning is enough to know it by, and
    # what is longer than the limit of spans would be cut with a warning each time.
    attributes = {**place, "db.query.summary": query.name, "db.query.text": query.text[:LONGEST_ATTRIBUTE]}
    if batch != 1:
        attributes["db.operation.batch.size"] = batch
    return attributes
