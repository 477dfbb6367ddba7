"""Streams a session: as it is now, then each change of it and each signal for the caller."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from chassis.context import Caller
from chassis.signals import SignalBoard
from kernel.errors import InvalidArgument
from video_svc.app.access import side_of, visible
from video_svc.app.ports import MOST_AT_ONCE, NumberedSignal, Sessions, Signals
from video_svc.domain.errors import SessionNotFound
from video_svc.domain.session import Session

# A notification that got lost costs no more than this.
_POLL_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Event:
    """One event: the session after a change, or a signal. Going on after `seq` misses nothing."""

    seq: int
    what: Session | NumberedSignal


@dataclass(frozen=True, slots=True)
class WatchSession:
    """The use case. `board` fires under a session's id when something has happened in it."""

    sessions: Sessions
    signals: Signals
    board: SignalBoard

    async def __call__(self, caller: Caller, session_id: str, after_seq: int) -> AsyncIterator[Event]:
        """The events, for ever. Raises SessionNotFound, InvalidArgument."""
        ring = self.board.of(session_id)
        head = await self.signals.head(session_id)
        session = await visible(self.sessions, caller, session_id)
        if head is None:
            raise SessionNotFound
        if not 0 <= after_seq <= head.seq:
            raise InvalidArgument.of("after_seq", f"must be 0 to {head.seq}, the newest event of this session")
        side, told = side_of(caller, session), head.changed_seq
        yield Event(after_seq, session)
        while True:
            seen = ring.count
            news = await self.signals.news(session_id, side, after_seq)
            if news is None:
                raise SessionNotFound
            head, heard = news
            events = [Event(one.seq, one) for one in heard]
            # While there are more signals than come at once, those before the change come first.
            if head.changed_seq > told and len(heard) < MOST_AT_ONCE:
                told = head.changed_seq
                events.append(Event(told, await visible(self.sessions, caller, session_id)))
            for event in sorted(events, key=lambda event: event.seq):
                after_seq = max(after_seq, event.seq)
                yield event
            if not events:
                await ring.wait(seen, _POLL_SECONDS)
