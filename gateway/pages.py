"""The pages of the gateway's own: what it serves, whether it lives, whether it is ready."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from gateway.http import Answer, json_answer
from gateway.openapi.page import CONTENT_SECURITY_POLICY
from gateway.routes import Binding
from gateway.upstreams import missing
from gateway.visit_page import VisitPage

States = Callable[[], Awaitable[Mapping[str, str]]]
Page = Callable[[], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages; `stopping` is set once the process has been told to end.

    `document` and `api_text` are the API's description as JSON and as HTML, both made once: anybody may ask for them.
    `ops_url` is where the console of a demo is, if there is one.
    """

    bindings: Sequence[Binding]
    document: bytes
    api_text: bytes
    states: States
    stopping: asyncio.Event
    visit_page: VisitPage
    ops_url: str = ""

    def find(self, path: str) -> tuple[str, Page] | None:
        """The page at a path with the name of its route; all of them are read by GET and need no token."""
        page = self._named(path)
        if page is not None:
            return path, page
        found = self.visit_page.find(path)
        return None if found is None else (found.route, found.show)

    def _named(self, path: str) -> Page | None:
        match path:
            case "/":
                return self.routes
            case "/docs":
                return self.api_page
            case "/openapi.json":
                return self.openapi
            case "/healthz":
                return self.live
            case "/readyz":
                return self.ready
            case "/ops" | "/ops/" if self.ops_url:
                return self.console
        return None

    async def routes(self) -> Answer:
        """Every route with the RPC that answers it."""
        listed = [
            {
                "method": binding.verb,
                "path": binding.template.text,
                "rpc": binding.method.full_name,
                "streams": binding.method.server_streaming,
            }
            for binding in sorted(self.bindings, key=lambda binding: (binding.template.text, binding.verb))
        ]
        return json_answer({"routes": listed, "health": ["/healthz", "/readyz"], "docs": ["/docs", "/openapi.json"]})

    async def openapi(self) -> Answer:
        """The OpenAPI document."""
        return Answer(HTTPStatus.OK, self.document)

    async def api_page(self) -> Answer:
        """The same for people."""
        policy = {"content-security-policy": CONTENT_SECURITY_POLICY}
        return Answer(HTTPStatus.OK, self.api_text, "text/html; charset=utf-8", policy)

    async def console(self) -> Answer:
        """The way to the console of a demo, which is a process of its own."""
        return Answer(HTTPStatus.TEMPORARY_REDIRECT, b"", "text/plain", {"location": self.ops_url})

    async def live(self) -> Answer:
        """That the process can answer at all; it asks nobody."""
        return json_answer({"status": "alive"})

    async def ready(self) -> Answer:
        """Whether every upstream is ready, and this process not about to stop; names what is missing."""
        states = await self.states()
        stopping = self.stopping.is_set()
        good = not missing(states) and not stopping
        status = "stopping" if stopping else "ready" if good else "not ready"
        code = HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE
        return json_answer({"status": status, "missing": missing(states), "upstreams": dict(states)}, code)
