"""The HTTP parser with limits of its own: a client that sends slowly, or sends headers without end, is cut off."""

import asyncio
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_MESSAGE = b"the request header fields are too large"
_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain\r\nconnection: close\r\n"
    b"content-length: %d\r\n\r\n%s" % (len(_MESSAGE), _MESSAGE)
)


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which has no such limits, with a clock for headers, one for bodies, and a size of headers.

    The application answers large headers and a slow body with a problem; the limits here are a little wider, for
    headers that never end and for bodies that nobody waits for any more.
    """

    header_bytes: ClassVar[int] = 16 * 1024
    header_seconds: ClassVar[float] = 5.0
    body_seconds: ClassVar[float] = 12.0

    _timer: asyncio.TimerHandle | None = None
    _header_size: int = 0
    _in_headers: bool = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has connected, and may take its time no longer than over headers."""
        super().connection_made(transport)
        self._allow(self.header_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, and with it the clock."""
        self._allow(None)
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._header_size = 0
        self._in_headers = True
        self._allow(self.header_seconds)

    def data_received(self, data: bytes) -> None:
        """Bytes: counted while headers are read, for the parser takes any number of them."""
        if self._in_headers:
            self._header_size += len(data)
        super().data_received(data)
        if self._in_headers and self._header_size > self.header_bytes and not self.transport.is_closing():
            self.transport.write(_TOO_LARGE)
            self.transport.close()
        if self._timer is None and self.cycle is not None and self.cycle.response_complete:
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
        super().on_message_complete()

    def _allow(self, seconds: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if seconds is None else self.loop.call_later(seconds, self._cut)

    def _cut(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()
