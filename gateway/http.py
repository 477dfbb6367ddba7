"""One HTTP request and its answer over ASGI, with limits on what is read."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import orjson

from gateway.compression import compressed

ASGIMessage = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[ASGIMessage]]
Send = Callable[[ASGIMessage], Awaitable[None]]

JSON_TYPE = "application/json"
_LARGEST_HEAD_BYTES = 8 * 1024
_MOST_HEADERS = 100
_LINGER_SECONDS = 2.0
_LINGER_BYTES = 2 * 1024 * 1024


class HttpRefusal(Exception):
    """A request that HTTP alone is enough to refuse; `closes` when the rest of it will not be read."""

    def __init__(
        self,
        status: HTTPStatus,
        reason: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        closes: bool = False,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.reason = reason
        self.detail = detail
        self.headers = dict(headers or {})
        self.closes = closes


class ClientGone(Exception):
    """The client went away before the request was whole; nobody waits for an answer."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came. `path` is still percent-encoded; header names are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    receive: Receive
    client: str = ""
    header_count: int = 0

    @classmethod
    def of(cls, scope: Scope, receive: Receive) -> "Request":
        """The request of an ASGI scope; a header that came twice is joined by commas (RFC 9110 §5.3)."""
        headers: dict[str, str] = {}
        for raw_name, raw_value in scope["headers"]:
            name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        path = scope.get("raw_path") or scope["path"].encode()
        query = scope["query_string"].decode("latin-1")
        address = (scope.get("client") or ("", 0))[0]
        return cls(scope["method"], path.decode("latin-1"), query, headers, receive, address, len(scope["headers"]))

    @property
    def announces_body(self) -> bool:
        """Whether a body follows, as far as the headers tell."""
        return self.headers.get("content-length", "0") != "0" or "transfer-encoding" in self.headers


def check_head(request: Request) -> None:
    """Raises HttpRefusal when path, query and headers together are larger than 8 KiB, or there are over 100 headers."""
    size = len(request.path) + len(request.query)
    size += sum(len(name) + len(value) for name, value in request.headers.items())
    if request.header_count > _MOST_HEADERS:
        raise HttpRefusal(
            HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
            "HEADERS_TOO_LARGE",
            f"there must not be more than {_MOST_HEADERS} header fields",
        )
    if size > _LARGEST_HEAD_BYTES:
        raise HttpRefusal(
            HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
            "HEADERS_TOO_LARGE",
            f"the request line and headers must not be larger than {_LARGEST_HEAD_BYTES} bytes",
        )


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """How much of a body is read, in bytes, and how long it may take, in seconds."""

    most_bytes: int
    seconds: float


async def read_json_body(request: Request, limits: BodyLimits) -> bytes:
    """The body of a request that should be JSON. Raises HttpRefusal as soon as a limit is passed, or ClientGone."""
    if not request.announces_body:
        return b""
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > limits.most_bytes:
        raise _too_large(limits)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != JSON_TYPE and not (kind.startswith("application/") and kind.endswith("+json")):
        raise HttpRefusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", f"send the body as {JSON_TYPE}")
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise HttpRefusal(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", "send the body without a content coding"
        )
    try:
        async with asyncio.timeout(limits.seconds):
            return await _read(request.receive, limits)
    except TimeoutError:
        raise HttpRefusal(
            HTTPStatus.REQUEST_TIMEOUT,
            "REQUEST_TIMEOUT",
            f"the body must arrive within {limits.seconds:g} seconds",
            closes=True,
        ) from None


async def _read(receive: Receive, limits: BodyLimits) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        body += message.get("body", b"")
        if len(body) > limits.most_bytes:
            raise _too_large(limits)
        if not message.get("more_body", False):
            return bytes(body)


def too_many_requests(detail: str, headers: Mapping[str, str]) -> HttpRefusal:
    """The refusal of a caller who asks too often."""
    return HttpRefusal(HTTPStatus.TOO_MANY_REQUESTS, "RATE_LIMITED", detail, headers=headers)


def _too_large(limits: BodyLimits) -> HttpRefusal:
    return HttpRefusal(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "BODY_TOO_LARGE",
        f"the body must not be larger than {limits.most_bytes} bytes",
        closes=True,
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. One that `closes` ends the connection, because the request was not read to its end."""

    status: int
    body: bytes
    content_type: str = JSON_TYPE
    headers: Mapping[str, str] = field(default_factory=dict)
    closes: bool = False

    async def send(self, request: Request, send: Send, common: Mapping[str, str]) -> None:
        """Sends it, with the headers that all answers have in common."""
        body, coding = compressed(self.body, request.headers)
        headers = {
            "content-type": self.content_type,
            "content-length": str(len(body)),
            **common,
            **self.headers,
            **coding,
        }
        if "vary" in common and "vary" in coding:
            headers["vary"] = f"{common['vary']}, {coding['vary']}"
        if self.closes:
            headers["connection"] = "close"
        await send({"type": "http.response.start", "status": self.status, "headers": encode_headers(headers)})
        if self.closes:
            await send({"type": "http.response.body", "body": body, "more_body": True})
            await _linger(request.receive)
            await send({"type": "http.response.body", "body": b""})
        else:
            await send({"type": "http.response.body", "body": body})


async def _linger(receive: Receive) -> None:
    """Drops a little more of the request: a close with bytes unread makes the kernel take the answer back."""
    dropped = 0
    try:
        async with asyncio.timeout(_LINGER_SECONDS):
            while dropped < _LINGER_BYTES:
                message = await receive()
                dropped += len(message.get("body", b""))
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return
    except TimeoutError:
        return


def json_answer(value: object, status: int = HTTPStatus.OK) -> Answer:
    """An answer of a value that orjson can dump."""
    return Answer(status, orjson.dumps(value))


def encode_headers(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Headers as ASGI wants them."""
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
