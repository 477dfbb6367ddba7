"""An HTTP/1.1 client for JSON on kept connections, which sends nothing twice: what is lost is counted as lost."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_CLOSES = re.compile(rb"\r\nconnection: *close\r\n", re.IGNORECASE)
_RETRY_AFTER = re.compile(rb"\r\nretry-after: *(\d+)\r\n", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; `tells_when` is whether it has Retry-After."""

    status: int
    body: bytes
    tells_when: bool


class Wire:
    """One connection for one request at a time, opened anew when the server has said that it closes, or has closed."""

    def __init__(self, host: str, port: int, token: str) -> None:
        self._address = (host, port)
        self._headers = f"host: {host}\r\nauthorization: Bearer {token}\r\n"
        self._open: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, verb: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Reply:
        """The answer. Raises OSError or EOFError when the connection breaks before it is whole."""
        reader, writer = await self._connection()
        head = f"{verb} {path} HTTP/1.1\r\n{self._headers}"
        head += "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        if body:
            head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
        whole = False
        try:
            writer.write(head.encode() + b"\r\n" + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = _LENGTH.search(answer)
            content = await reader.readexactly(int(length[1])) if length else b""
            whole = True
        finally:
            if not whole or _CLOSES.search(answer):
                self.close()
        return Reply(int(answer[9:12]), content, _RETRY_AFTER.search(answer) is not None)

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._open is not None and (self._open[0].at_eof() or self._open[1].is_closing()):
            self.close()
        if self._open is None:
            self._open = await asyncio.open_connection(*self._address)
        return self._open

    def close(self) -> None:
        """Lets go of the connection."""
        if self._open is not None:
            self._open[1].close()
            self._open = None
