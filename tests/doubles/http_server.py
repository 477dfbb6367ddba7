"""A small HTTP/1.1 server for doubles: it keeps connections alive, and can also do what no good server does."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Call:
    """One request as it came."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """What is sent back. `cut` sends that share of the body and then hangs up; `silent` never answers at all."""

    status: int
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)
    cut: float | None = None
    silent: bool = False

    def content(self) -> bytes:
        return b"" if self.body is None else json.dumps(self.body).encode()


Handler = Callable[[Call], Awaitable[Reply]]


class HttpServer:
    """Answers each request by a handler; counts the connections that were made."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while (call := await _read(reader)) is not None:
                reply = await self._handler(call)
                if not await _write(writer, reply):
                    return
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Call | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.split("\r\n")[:-2]
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    path, _, query = target.partition("?")
    return Call(method, path, query, headers, body)


async def _write(writer: asyncio.StreamWriter, reply: Reply) -> bool:
    """Sends an answer; tells whether the connection can go on."""
    if reply.silent:
        await asyncio.sleep(3600)
    content = reply.content()
    headers = {"content-type": "application/json", "content-length": str(len(content)), **reply.headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    sent = content if reply.cut is None else content[: int(len(content) * reply.cut)]
    writer.write(f"HTTP/1.1 {reply.status} X\r\n{head}\r\n".encode() + sent)
    await writer.drain()
    return reply.cut is None


@asynccontextmanager
async def listening(server: HttpServer) -> AsyncIterator[str]:
    """Serves on loopback for the length of the block; tells the address."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await server.serve(reader, writer)
        except asyncio.CancelledError:
            writer.close()
        finally:
            tasks.discard(task)

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    finally:
        listener.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
