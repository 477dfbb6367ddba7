"""A wake-up that many may wait for: it says that something changed, never what."""

import asyncio
from weakref import WeakValueDictionary


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


class SignalBoard:
    """A signal for each of many things, kept for as long as somebody holds it."""

    def __init__(self) -> None:
        self._signals: WeakValueDictionary[str, Signal] = WeakValueDictionary()

    def of(self, name: str) -> Signal:
        """The signal of a thing: the same one for everybody who waits for it now."""
        signal = self._signals.get(name)
        if signal is None:
            signal = self._signals[name] = Signal()
        return signal

    def fire(self, name: str) -> None:
        """Wakes whoever waits for that thing."""
        signal = self._signals.get(name)
        if signal is not None:
            signal.fire()

    def fire_all(self) -> None:
        """Wakes everybody: something may have been missed."""
        for signal in list(self._signals.values()):
            signal.fire()
