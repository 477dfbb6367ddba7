"""The little HTTP that the console needs, over ASGI: a request with a bounded body, an answer with safe headers."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import orjson

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

# Its own scripts, styles and answers; nothing inline and nothing from elsewhere.
_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


class HttpError(Exception):
    """A request that is refused; the message is for whoever sent it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came; header names are in lower case, of doubled ones and parameters the last counts."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    receive: Receive

    @classmethod
    def of(cls, scope: Scope, receive: Receive) -> "Request":
        """The request of an ASGI scope."""
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        query = dict(parse_qsl(scope["query_string"].decode("latin-1"), max_num_fields=50))
        return cls(scope["method"], scope["path"], query, headers, receive)

    async def body(self, most_bytes: int) -> bytes:
        """The whole body. Raises HttpError as soon as it is too large."""
        length = self.headers.get("content-length", "")
        if length.isdecimal() and int(length) > most_bytes:
            raise HttpError(413, f"the body must not be larger than {most_bytes} bytes")
        body = bytearray()
        while True:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise HttpError(400, "the body ends too early")
            body += message.get("body", b"")
            if len(body) > most_bytes:
                raise HttpError(413, f"the body must not be larger than {most_bytes} bytes")
            if not message.get("more_body", False):
                return bytes(body)


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer."""

    status: int
    body: bytes
    content_type: str
    headers: Mapping[str, str] = field(default_factory=dict)

    async def send(self, send: Send) -> None:
        """Sends it."""
        headers = {
            "content-type": self.content_type,
            "content-length": str(len(self.body)),
            **_HEADERS,
            **self.headers,
        }
        encoded = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": encoded})
        await send({"type": "http.response.body", "body": self.body})


def json_answer(value: object, status: int = 200) -> Answer:
    """An answer of a value that orjson can dump."""
    return Answer(status, orjson.dumps(value), "application/json")
