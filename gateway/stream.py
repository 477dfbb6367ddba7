"""A stream of answers as server-sent events: one event a message, comments as a sign of life."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import orjson
from google.protobuf.message import Message

from gateway.http import Receive, Request, Send, encode_headers
from gateway.numbers import open_streams
from gateway.transcode import Transcoder

# A refusal comes at once or not at all: so long is waited for it before the answer is said to be good.
_FIRST_SECONDS = 1.0
EVENT_STREAM_TYPE = "text/event-stream"
_HEADERS = {
    "content-type": EVENT_STREAM_TYPE,
    # Proxies that would gather a whole answer first are told not to.
    "x-accel-buffering": "no",
}
_HEARTBEAT = b": alive\n\n"
ProblemDocument = Callable[[Exception], dict[str, object]]


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """Seconds between signs of life, and seconds after which a client has to come again with a fresh token."""

    heartbeat_seconds: float
    longest_seconds: float


class EventStream:
    """One stream under way: from the first message to the end of the RPC, of the client or of this process."""

    def __init__(
        self,
        replies: AsyncGenerator[Message],
        transcoder: Transcoder,
        limits: StreamLimits,
        stopping: asyncio.Event,
        problem: ProblemDocument,
    ) -> None:
        self._replies = replies
        self._transcoder = transcoder
        self._limits = limits
        self._stopping = stopping
        self._problem = problem
        self._next: asyncio.Task[Message | None] = self._read()

    def _read(self) -> asyncio.Task[Message | None]:
        return asyncio.create_task(_next(self._replies))

    async def open(self) -> None:
        """Waits a moment for the first message, so that a refusal can still be an answer. Raises what the RPC does."""
        try:
            done, _ = await asyncio.wait({self._next}, timeout=_FIRST_SECONDS)
        except asyncio.CancelledError:
            await _cancel(self._next)
            raise
        if done:
            self._next.result()

    async def send(self, request: Request, send: Send, common: Mapping[str, str]) -> None:
        """Sends events until somebody ends it."""
        headers = encode_headers({**_HEADERS, **common})
        await send({"type": "http.response.start", "status": HTTPStatus.OK, "headers": headers})
        open_streams.inc()
        ends = [asyncio.create_task(_gone(request.receive)), asyncio.create_task(self._stopping.wait())]
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._limits.longest_seconds):
                    await self._send_events(send, ends)
        finally:
            open_streams.dec()
            await _cancel(self._next, *ends)
            await self._replies.aclose()
        await send({"type": "http.response.body", "body": b""})

    async def _send_events(self, send: Send, ends: Sequence[asyncio.Task[Any]]) -> None:
        # The first bytes make the browser call the stream open, even when nothing has changed yet.
        await send(_chunk(_HEARTBEAT))
        while True:
            await asyncio.wait(
                {self._next, *ends}, timeout=self._limits.heartbeat_seconds, return_when=asyncio.FIRST_COMPLETED
            )
            if any(end.done() for end in ends):
                return
            if not self._next.done():
                await send(_chunk(_HEARTBEAT))
                continue
            try:
                message = self._next.result()
            except Exception as error:  # noqa: BLE001 - the status line is long gone, so the refusal is an event
                document = orjson.dumps(self._problem(error))
                await send(_chunk(b"event: problem\ndata: " + document + b"\n\n"))
                return
            if message is None:
                return
            await send(_chunk(self._event(message)))
            self._next = self._read()

    def _event(self, message: Message) -> bytes:
        event_id = self._transcoder.event_id(message)
        # orjson writes one line, and an id that would break the framing is better left out.
        line = f"id: {event_id}\n".encode() if event_id and event_id.isprintable() else b""
        return line + b"data: " + self._transcoder.reply(message) + b"\n\n"


async def _next(replies: AsyncGenerator[Message]) -> Message | None:
    return await anext(replies, None)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue


async def _cancel(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _chunk(data: bytes) -> dict[str, object]:
    return {"type": "http.response.body", "body": data, "more_body": True}
