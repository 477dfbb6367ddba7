"""Work that goes on beside the calls: kept running, and stopped with the process."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable

from chassis.metrics import background_failures, loop_lag, loop_tasks

logger = logging.getLogger(__name__)
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0
_HEALTHY_AFTER = 5.0  # a stream lasts as long as its server, which may be restarted right after the last one was
_TELL_AGAIN_SECONDS = 0.2
_LOOP_LOOK_SECONDS = 0.25


async def keep_running(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Runs work that is never done; when it fails, logs that and starts it again after a growing pause."""
    pause = _FIRST_PAUSE
    loop = asyncio.get_running_loop()
    while True:
        started = loop.time()
        try:
            await work()
        except Exception as error:
            background_failures.labels(name).inc()
            logger.warning("background work failed", extra={"work": name, "error_type": type(error).__name__})
            logger.debug("background work failed", exc_info=True)
        if loop.time() - started > _HEALTHY_AFTER:
            pause = _FIRST_PAUSE
        # Jitter keeps the replicas of a service from coming back all at once.
        await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - spreads load, guards nothing
        pause = min(pause * 2, _LONGEST_PAUSE)


async def periodically(seconds: float, work: Callable[[], Awaitable[object]]) -> None:
    """Does some work now and then, for ever; a failure is for keep_running to notice."""
    while True:
        await work()
        await asyncio.sleep(seconds)


async def measure_loop() -> None:
    """Notes, four times a second and for ever, how late the event loop is and how many tasks it has."""
    while True:
        asked = time.perf_counter()
        await asyncio.sleep(_LOOP_LOOK_SECONDS)
        loop_lag.observe(max(0.0, time.perf_counter() - asked - _LOOP_LOOK_SECONDS))
        loop_tasks.set(len(asyncio.all_tasks()))


class Background:
    """The background tasks of a process."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Starts work and keeps it running."""
        self._tasks.append(asyncio.create_task(keep_running(name, work), name=name))

    async def stop(self) -> None:
        """Cancels all work and waits until it has ended.

        A library may swallow a cancellation that arrives just when what it waited for does (a connection pool
        handing over a connection, for one), so whoever is still at work is told again.
        """
        pending = set(self._tasks)
        while pending:
            for task in pending:
                task.cancel()
            _, pending = await asyncio.wait(pending, timeout=_TELL_AGAIN_SECONDS)
        self._tasks.clear()
