"""The feed for everybody who watches: each change is read once a process, however many streams wait for it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from appointment_svc.app.ports import FeedChange, FeedPage, FeedReader
from appointment_svc.storage.feed import PostgresFeed
from chassis.signals import Signal
from kernel.revision import ChangeOf, FeedPosition

_BATCH = 500
_EVERYONE = FeedReader()
# Wake-ups are a courtesy; this interval holds without them (another replica numbers, or a proxy eats NOTIFY).
_POLL_SECONDS = 0.25
SIGN_OF_LIFE_SECONDS = 5.0
# So many of the newest changes are kept for streams that are hardly behind; a few kilobytes each.
_KEPT = 2_000


@dataclass(slots=True)
class _Window:
    """The newest changes without a gap: those after `start`, up to and with `end`."""

    start: int = 0
    changes: list[FeedChange] = field(default_factory=list)

    @property
    def end(self) -> int:
        return self.start + len(self.changes)

    def grow(self, page: FeedPage) -> None:
        self.changes += page.changes
        if len(self.changes) > 2 * _KEPT:
            self.start += len(self.changes) - _KEPT
            del self.changes[:-_KEPT]

    def page(self, reader: FeedReader, after: int) -> FeedPage | None:
        """What follows a number; None when it lies before the window."""
        if not self.start <= after <= self.end:
            return None
        following = self.changes[after - self.start :]
        return FeedPage([change for change in following if reader.lets_through(change)], self.end, self.end)


class LiveFeed:
    """Implements app.ports.Feed. `run` is to be kept running; `grown` fires when the feed may have grown."""

    def __init__(self, feed: PostgresFeed, grown: Signal) -> None:
        self._feed = feed
        self._grown = grown
        self._window: _Window | None = None
        self._moved = Signal()

    @property
    def head(self) -> int:
        """The newest number that this process knows; 0 before it has read any."""
        return self._window.end if self._window else 0

    async def run(self) -> None:
        """Reads what is new, for ever, and wakes the streams that wait for it."""
        if self._window is None:
            self._window = _Window(await self._feed.head())
        while True:
            seen = self._grown.count
            page = await self._feed.read(_EVERYONE, self._window.end, _BATCH)
            if page.changes:
                self._window.grow(page)
                self._moved.fire()
            if len(page.changes) < _BATCH:
                await self._grown.wait(seen, _POLL_SECONDS)

    async def position_of(self, change: ChangeOf) -> FeedPosition | None:
        """See the port."""
        return await self._feed.position_of(change)

    async def follow(self, reader: FeedReader, after: int) -> AsyncIterator[FeedPage]:
        """See the port. The next page is read when the last was taken: a slow reader costs only itself."""
        now = asyncio.get_running_loop().time
        # First of all the length of the feed, so that a reader knows at once how far behind it is.
        yield FeedPage((), after, max(after, await self._feed.head()))
        told = now()
        while True:
            seen = self._moved.count
            is_due = now() - told >= SIGN_OF_LIFE_SECONDS
            page = await self._page(reader, after, from_database=is_due)
            grew, after = page.complete > after, page.complete
            if page.changes or is_due:
                yield page
                told = now()
            if not grew:
                await self._wait(seen, told + SIGN_OF_LIFE_SECONDS - now())

    async def _page(self, reader: FeedReader, after: int, *, from_database: bool) -> FeedPage:
        # A sign of life has been fetched from the database: no stream depends for long on our own reading.
        page = self._window.page(reader, after) if self._window and not from_database else None
        return page or await self._feed.read(reader, after, _BATCH)

    async def _wait(self, seen: int, seconds: float) -> None:
        if self._window is None:
            await self._grown.wait(self._grown.count, min(seconds, _POLL_SECONDS))
        else:
            await self._moved.wait(seen, max(0.0, seconds))
