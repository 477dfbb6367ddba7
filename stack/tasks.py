"""Tasks that belong to one block: cancelled at its end, and the first that fails is heard."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Self


class Tasks:
    """Start tasks inside `async with`; none of them outlives it."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def start(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run `work` beside the block."""
        self._tasks.add(asyncio.create_task(work))

    async def fail_or(self, done: Coroutine[Any, Any, Any]) -> None:
        """Wait for `done`, or raise what the first failing task raises. A task may also just end."""
        waiter = asyncio.create_task(done)
        pending = {waiter, *self._tasks}
        self._tasks.add(waiter)
        while not waiter.done():
            finished, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in finished:
                task.result()
