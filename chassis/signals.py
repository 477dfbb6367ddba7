"""A wake-up that many may wait for: it says that something changed, never what."""

import asyncio


class Signal:
    """Counts how often it was fired, so that a waiter cannot miss what happened before it began to wait."""

    def __init__(self) -> None:
        self.count = 0
        self._changed = asyncio.Event()

    def fire(self) -> None:
        """Wakes everyone who waits."""
        self.count += 1
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def wait(self, seen: int, timeout: float) -> int:  # noqa: ASYNC109 - running out of time is a normal end
        """Returns the count once it is no longer `seen`, at the latest after `timeout` seconds."""
        if self.count == seen:
            try:
                async with asyncio.timeout(timeout):
                    await self._changed.wait()
            except TimeoutError:
                return self.count
        return self.count
