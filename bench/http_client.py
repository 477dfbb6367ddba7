"""An HTTP/1.1 client that costs little: GET after GET on one open connection, and no more than the load needs."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked\r\n", re.IGNORECASE)
_OK = b"HTTP/1.1 200 "


class Connection:
    """One connection to one server, for one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, headers: str) -> None:
        self._reader = reader
        self._writer = writer
        self._headers = headers

    async def get(self, path: str) -> bytes:
        """The body of the answer. Raises RuntimeError for every status but 200."""
        self._writer.write(f"GET {path} HTTP/1.1\r\n{self._headers}\r\n".encode())
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if length is not None:
            body = await self._reader.readexactly(int(length[1]))
        elif _CHUNKED.search(head):
            body = await self._chunks()
        else:
            raise RuntimeError(f"an answer of unknown length: {head!r}")
        if not head.startswith(_OK):
            raise RuntimeError(f"{head.splitlines()[0]!r}: {body!r}")
        return body

    async def _chunks(self) -> bytes:
        body = bytearray()
        while size := int(await self._reader.readuntil(b"\r\n"), 16):
            body += (await self._reader.readexactly(size + 2))[:-2]
        await self._reader.readuntil(b"\r\n")
        return bytes(body)


@asynccontextmanager
async def connected(host: str, port: int, token: str) -> AsyncIterator[Connection]:
    """A connection whose requests carry a bearer token."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        yield Connection(reader, writer, f"host: {host}\r\nauthorization: Bearer {token}\r\n")
    finally:
        writer.close()
        await writer.wait_closed()
