"""Streams the committed changes that a caller may see, in order, from any earlier one on."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from appointment_svc.app.access import reader_for
from appointment_svc.app.ports import Feed, FeedChange
from chassis.context import Caller
from chassis.signals import Signal
from kernel.errors import InvalidArgument
from kernel.revision import ChangeOf, FeedPosition

_NUMBERED_WITHIN_POLLS = 20
_POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class WatchChanges:
    """The use case."""

    feed: Feed
    grown: Signal

    async def __call__(
        self, caller: Caller, after: FeedPosition | ChangeOf
    ) -> AsyncIterator[tuple[FeedChange | None, int]]:
        """Each change with the newest number there is; None in place of a change is a sign of life."""
        start = await self._number_of(after)
        async for item in self.feed.follow(reader_for(caller), start):
            yield item

    async def _number_of(self, after: FeedPosition | ChangeOf) -> int:
        """The number to start after; a change made a moment ago is waited for until it has one."""
        if isinstance(after, FeedPosition):
            return after.number
        for _ in range(_NUMBERED_WITHIN_POLLS):
            seen = self.grown.count
            position = await self.feed.position_of(after)
            if position is not None:
                return position.number
            await self.grown.wait(seen, _POLL_SECONDS)
        raise InvalidArgument.of("after_revision", "names a change that does not exist")
