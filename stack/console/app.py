"""The console as an ASGI application: spans come in under /v1/traces, pages and their JSON are under /ops."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stack.console import overview, shapes
from stack.console.analytics import booking_analytics
from stack.console.health import health_of
from stack.console.http import Answer, HttpError, Receive, Request, Scope, Send, json_answer
from stack.console.receive import MOST_BYTES, received
from stack.console.search import BadSearchError, Search
from stack.console.store import Store

WEB = Path(__file__).parent / "web"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
}
# Names of this machine: whoever calls it by another one is a page from elsewhere that had its name point here.
_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
_LONGEST_WINDOW = 24 * 3600.0
_WINDOW = 900.0
View = Callable[[Mapping[str, str]], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Clinic:
    """Where the stack is that is looked at: questions that the console passes on."""

    health: Callable[[], Awaitable[Any]]
    analytics: Callable[[], Awaitable[Any]]

    @classmethod
    def on(cls, data: Path) -> "Clinic":
        """The stack that runs on a data folder."""
        return cls(lambda: health_of(data), lambda: booking_analytics(data))


class Console:
    """Serves one store of spans and what is known of one stack. `receives` says whether spans are sent here at all."""

    def __init__(self, store: Store, clinic: Clinic, *, receives: bool = True) -> None:
        self._store = store
        self._clinic = clinic
        self._receives = receives
        self._files = {
            path.name: Answer(200, path.read_bytes(), _TYPES[path.suffix])
            for path in WEB.iterdir()
            if path.suffix in _TYPES
        }
        self._views: dict[str, View] = {
            "traces": self._traces,
            "map": self._map,
            "operations": self._operations,
            "statements": self._statements,
            "store": self._state,
            "health": lambda _: clinic.health(),
            "analytics": lambda _: clinic.analytics(),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one HTTP request."""
        if scope["type"] != "http":
            raise ValueError(f"{scope['type']} is not served here")
        try:
            answer = await self._answer(Request.of(scope, receive))
        except HttpError as error:
            answer = json_answer({"error": error.message}, error.status)
        except BadSearchError as error:
            answer = json_answer({"error": str(error)}, 400)
        await answer.send(send)

    async def _answer(self, request: Request) -> Answer:
        if request.headers.get("host", "").rpartition(":")[0] not in _HOSTS:
            raise HttpError(421, "this console answers to localhost alone")
        if request.path == "/v1/traces":
            return await self._receive(request)
        if request.method != "GET":
            raise HttpError(405, "this path is read by GET")
        if request.path in {"/", "/ops"}:
            return Answer(308, b"", "text/plain", {"location": "/ops/"})
        place, _, rest = request.path.removeprefix("/ops/").partition("/")
        if place == "api":
            return json_answer(await self._view(rest, request.query))
        found = self._files.get(place or "index.html") if request.path.startswith("/ops/") and not rest else None
        if found is None:
            raise HttpError(404, "there is nothing at this path")
        return found

    async def _receive(self, request: Request) -> Answer:
        if request.method != "POST":
            raise HttpError(405, "spans are sent by POST")
        spans, kind, body = received(request.headers, await request.body(MOST_BYTES))
        self._store.add(spans)
        return Answer(200, body, kind)

    async def _view(self, name: str, query: Mapping[str, str]) -> Any:
        kind, _, trace_id = name.partition("/")
        if kind == "traces" and trace_id:
            trace = self._store.trace(trace_id.lower())
            if trace is None:
                raise HttpError(404, "nothing of this trace is here: it was not recorded, or is gone already")
            return shapes.whole(trace)
        view = self._views.get(name)
        if view is None:
            raise HttpError(404, f"there are {', '.join(sorted(self._views))}")
        return await view(query)

    async def _traces(self, query: Mapping[str, str]) -> Any:
        return {"traces": [shapes.summary(trace) for trace in Search.of(query).run(self._store)]}

    async def _map(self, query: Mapping[str, str]) -> Any:
        return overview.service_map(self._store, time.time_ns(), _window(query))

    async def _operations(self, query: Mapping[str, str]) -> Any:
        return {"operations": overview.operations(self._store, time.time_ns(), _window(query))}

    async def _statements(self, query: Mapping[str, str]) -> Any:
        return {"statements": overview.statements(self._store, time.time_ns(), _window(query))}

    async def _state(self, _: Mapping[str, str]) -> Any:
        store = self._store
        services = sorted({span.service for span in store.since(0)})
        return {
            "receives": self._receives,
            "traces": len(store),
            "spans": store.spans,
            "received": store.received,
            "forgotten": store.forgotten,
            "services": services,
        }


def _window(query: Mapping[str, str]) -> float:
    text = query.get("window_seconds", "")
    try:
        seconds = float(text) if text else _WINDOW
    except ValueError:
        seconds = 0.0
    if not 1 <= seconds <= _LONGEST_WINDOW:
        raise HttpError(400, f"window_seconds is a number from 1 to {_LONGEST_WINDOW:.0f}")
    return seconds
