"""The HTTP parser with limits of its own: who sends or reads slowly, sends headers without end, or is one too many."""

import asyncio
from http import HTTPStatus
from typing import ClassVar

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.connections import Connections


def _refusal(status: HTTPStatus, reason: str, detail: str, *headers: bytes) -> bytes:
    """A whole answer of the parser's own: a problem as the application writes them, less what only it knows."""
    problem = {
        "type": f"urn:telemed:error:{reason.lower().replace('_', '-')}",
        "title": reason.replace("_", " ").capitalize(),
        "status": status.value,
        "detail": detail,
        "reason": reason,
        "domain": "telemed",
    }
    body = orjson.dumps(problem)
    lines = [
        f"HTTP/1.1 {status.value} {status.phrase}".encode(),
        b"content-type: application/problem+json",
        b"content-length: %d" % len(body),
        b"connection: close",
        *headers,
    ]
    return b"\r\n".join([*lines, b"", body])


_TOO_LARGE = _refusal(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "HEADERS_TOO_LARGE", "the request header fields are too large"
)
_TOO_MANY = _refusal(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "TOO_MANY_CONNECTIONS",
    "too many connections are open; use those that you have, or come again",
    b"retry-after: 1",
)


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which has no such limits, with clocks for headers, bodies and answers, and counts.

    The application answers large headers and a slow body with a problem; the limits here are a little wider, for
    headers that never end and for bodies that nobody waits for any more. Seconds and bytes.
    """

    header_bytes: ClassVar[int] = 16 * 1024
    header_seconds: ClassVar[float]
    body_seconds: ClassVar[float]
    write_seconds: ClassVar[float]
    counted: ClassVar[Connections]

    _reading: asyncio.TimerHandle | None = None
    _writing: asyncio.TimerHandle | None = None
    _header_size: int = 0
    _in_headers: bool = True
    _is_refused: bool = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has connected, and may take its time no longer than over headers."""
        super().connection_made(transport)
        if not self.counted.admit(self, self.client[0] if self.client else ""):
            self._is_refused = True
            transport.write(_TOO_MANY)
            self._end()
            return
        self._allow(self.header_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, and with it the clocks."""
        self.counted.leave(self)
        self._allow(None)
        self._stop_watching()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._header_size = 0
        self._in_headers = True
        self._allow(self.header_seconds)

    def data_received(self, data: bytes) -> None:
        """Bytes: counted while headers are read, for the parser takes any number of them."""
        if self._is_refused:
            return
        if self._in_headers:
            self._header_size += len(data)
        super().data_received(data)
        if self._in_headers and self._header_size > self.header_bytes and not self.transport.is_closing():
            self.transport.write(_TOO_LARGE)
            self._end()
        if self._reading is None and self.cycle is not None and self.cycle.response_complete:
            # Blank lines between requests stop uvicorn's clock of idle connections and begin no request.
            self._allow(self.header_seconds)

    def on_headers_complete(self) -> None:
        """The body begins."""
        self._in_headers = False
        self._allow(self.body_seconds)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is whole; how long the answer takes is not the client's doing."""
        self._allow(None)
        if not self.cycle.response_complete:
            self.counted.works(self)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The answer is given; what of it is still here, the client has to take away within its time."""
        super().on_response_complete()
        if not self.pipeline:
            self.counted.waits(self)
        if self.transport.get_write_buffer_size():
            self._watch_writing()
        else:
            self._stop_watching()

    def pause_writing(self) -> None:
        """More waits to be read by the client than is kept for it."""
        super().pause_writing()
        self._watch_writing()

    def resume_writing(self) -> None:
        """The client has read on."""
        super().resume_writing()
        self._stop_watching()

    def timeout_keep_alive_handler(self) -> None:
        """The client has sent nothing for too long."""
        self._end()

    def make_room(self) -> None:
        """See Connections."""
        self.transport.abort()

    def _allow(self, seconds: float | None) -> None:
        if self._reading is not None:
            self._reading.cancel()
        self._reading = None if seconds is None else self.loop.call_later(seconds, self._end)

    def _end(self) -> None:
        """Closes the connection; a client that does not even read what it was told is not waited for long."""
        if not self.transport.is_closing():
            self.transport.close()
        if self.transport.get_write_buffer_size():
            self._watch_writing()

    def _watch_writing(self) -> None:
        if self._writing is None:
            self._writing = self.loop.call_later(self.write_seconds, self._give_up)

    def _stop_watching(self) -> None:
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None

    def _give_up(self) -> None:
        self._writing = None
        if self.transport.get_write_buffer_size():
            self.transport.abort()
