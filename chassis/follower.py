"""Follows a feed of changes from where it last stopped and applies them in batches, each with its cursor."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from chassis.signals import Signal

Change = TypeVar("Change")
logger = logging.getLogger(__name__)

_QUEUE = 2_000
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Follower(Generic[Change]):
    """Reads a feed and applies it exactly once in effect.

    `cursor` tells the last position applied; `open_feed` streams what comes after a position, for ever; `apply`
    stores a batch and its new cursor in one transaction and must tolerate a change that it has seen before.
    `applied` fires after each batch.
    """

    cursor: Callable[[], Awaitable[str]]
    open_feed: Callable[[str], AsyncIterator[Change]]
    apply: Callable[[list[Change]], Awaitable[None]]
    applied: Signal

    async def run(self) -> None:
        """Follows until the feed breaks, then raises: whoever runs it starts it again from the cursor."""
        after = await self.cursor()
        logger.info("following the feed", extra={"after_revision": after})
        queue: asyncio.Queue[Change] = asyncio.Queue(_QUEUE)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._read(after, queue))
            group.create_task(self._write(queue))

    async def _read(self, after: str, queue: asyncio.Queue[Change]) -> None:
        # A full queue stops the reading, and gRPC's flow control then stops the sender.
        async for change in self.open_feed(after):
            await queue.put(change)
        raise ConnectionError("the feed ended")

    async def _write(self, queue: asyncio.Queue[Change]) -> None:
        while True:
            batch = [await queue.get()]
            while len(batch) < _BATCH and not queue.empty():
                batch.append(queue.get_nowait())
            await self.apply(batch)
            self.applied.fire()
