"""Passes a signal on to the other browser, in order."""

from dataclasses import dataclass
from datetime import datetime

from chassis.clock import Clock
from chassis.context import Caller
from kernel.errors import InvalidArgument, Unavailable
from video_svc.app.access import own_side
from video_svc.app.attempts import require_attempt
from video_svc.app.ports import Sessions, Signals
from video_svc.domain.errors import SessionNotFound, StaleAttempt
from video_svc.domain.joining import check_under_way
from video_svc.domain.session import JoinRules, Session
from video_svc.domain.signals import Payload, Signal, checked_payload

_HIGHEST_NUMBER = 100_000
# What was seen may have changed until the signal was kept; then it is looked at again.
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Message:
    """A payload as its sender numbers and addresses it."""

    attempt: int
    peer_attempt: int
    number: int
    payload: Payload


@dataclass(frozen=True, slots=True)
class SendSignal:
    """The use case."""

    sessions: Sessions
    signals: Signals
    rules: JoinRules
    clock: Clock

    async def __call__(self, caller: Caller, session_id: str, message: Message) -> int:
        """The lowest number that has not come yet.

        Raises SessionNotFound, InvalidArgument, NotAdmitted, StaleAttempt, SessionOver, SignalGap.
        """
        if not 1 <= message.number <= _HIGHEST_NUMBER:
            raise InvalidArgument.of("number", f"must be 1 to {_HIGHEST_NUMBER}")
        payload = checked_payload(message.payload)
        for _ in range(_TRIES):
            session = await self.sessions.get(session_id)
            if session is None:
                raise SessionNotFound
            signal = Signal(own_side(caller, session), message.attempt, message.number, message.peer_attempt, payload)
            now = self.clock()
            self._check(session, signal, now)
            following = await self.signals.send(session_id, signal, now)
            if following is not None:
                return following
        raise Unavailable("the session changes too fast; send the signal again")

    def _check(self, session: Session, signal: Signal, now: datetime) -> None:
        check_under_way(session, self.rules, now)
        require_attempt(session, signal.sender, signal.attempt)
        other = session.one(signal.receiver)
        current = other.attempt if other else 0
        if not 1 <= signal.receiver_attempt <= current:
            raise InvalidArgument.of("peer_attempt", "is the attempt of the other participant, as the session tells it")
        if signal.receiver_attempt < current:
            raise StaleAttempt(current, whose="peer_attempt")
