"""Streams a session: as it is now, then each change of it and each signal for the caller."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from chassis.context import Caller
from chassis.signals import SignalBoard
from kernel.errors import InvalidArgument
from video_svc.app.access import side_of, visible
from video_svc.app.ports import NumberedSignal, Sessions, Signals
from video_svc.domain.errors import SessionNotFound
from video_svc.domain.participant import Participant
from video_svc.domain.session import Session
from video_svc.domain.visit import ParticipantType

# A notification that got lost costs no more than this.
_POLL_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class SignalFrom:
    """A signal and who sent it."""

    sender: Participant
    numbered: NumberedSignal


@dataclass(frozen=True, slots=True)
class Event:
    """One event: the session after a change, or a signal. Going on after `seq` misses nothing."""

    seq: int
    what: Session | SignalFrom


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
            head = await self.signals.head(session_id) or head
            heard = await self._signals(session_id, side, after_seq, head.seq)
            changed = head.changed_seq > told
            if changed or heard:
                session = await visible(self.sessions, caller, session_id)
            events = [_signal(session, one) for one in heard]
            if changed:
                told = head.changed_seq
                events.append(Event(told, session))
            for event in sorted(events, key=lambda event: event.seq):
                after_seq = max(after_seq, event.seq)
                yield event
            if not events:
                await ring.wait(seen, _POLL_SECONDS)

    async def _signals(
        self, session_id: str, side: ParticipantType | None, after_seq: int, newest: int
    ) -> list[NumberedSignal]:
        if side is None or newest <= after_seq:
            return []
        return [one for one in await self.signals.after(session_id, side, after_seq) if one.seq <= newest]


def _signal(session: Session, numbered: NumberedSignal) -> Event:
    sender = session.one(numbered.signal.sender)
    if sender is None:
        raise SessionNotFound
    return Event(numbered.seq, SignalFrom(sender, numbered))
