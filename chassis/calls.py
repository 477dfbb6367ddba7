"""The calls that a server has in hand, so that a stop can wait for those that work and end those that only wait."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

_LOOK_SECONDS = 0.05


class Calls:
    """Unary calls are work under way; streams last until somebody ends them."""

    def __init__(self) -> None:
        self.ending = False
        self._last_arrival = 0.0
        self._unary = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._streams: set[asyncio.Task[object]] = set()

    @contextmanager
    def unary(self) -> Iterator[None]:
        """Counts a unary call for as long as the block runs."""
        self._unary += 1
        self._last_arrival = time.monotonic()
        self._idle.clear()
        try:
            yield
        finally:
            self._unary -= 1
            if not self._unary:
                self._idle.set()

    @contextmanager
    def stream(self) -> Iterator[None]:
        """Counts a stream for as long as the block runs; when streams are ended, its task is cancelled."""
        task = asyncio.current_task()
        assert task is not None, "grpc runs every handler in a task"  # noqa: S101 - for the type checker
        self._streams.add(task)
        try:
            yield
        finally:
            self._streams.discard(task)

    def end_streams(self) -> None:
        """Cancels every stream; `ending` tells their handlers that it was us and not the caller."""
        self.ending = True
        for task in self._streams:
            task.cancel()

    async def left_alone(self, quiet_seconds: float, patience_seconds: float) -> bool:
        """Waits until no unary call has come for a while, and tells whether that was so within the patience."""
        deadline = time.monotonic() + patience_seconds
        while (still := self._last_arrival + quiet_seconds - time.monotonic()) > 0:
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(min(still, _LOOK_SECONDS))
        return True

    async def finished(self, patience_seconds: float) -> bool:
        """Whether the last unary call ended within that time; returns as soon as it has."""
        try:
            async with asyncio.timeout(patience_seconds):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True
