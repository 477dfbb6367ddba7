"""One attempt at a forwarding provider: its session there, and whose turn it is to change that."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from video_svc.domain.visit import ParticipantType

# How long one call to the provider, and how long a browser's answer to an offer, may take.
TURN = timedelta(seconds=15)


class Purpose(Enum):
    """What a turn is taken for."""

    # A call to the provider, after which the exchange of descriptions may be over.
    CALL = "CALL"
    # The browser's answer to the provider's offer: until it comes, nothing else may be negotiated.
    ANSWER = "ANSWER"


@dataclass(frozen=True, slots=True)
class Turn:
    """Who may change the provider session, and until when (aware). An answer is awaited from nobody in particular."""

    purpose: Purpose
    owner: str
    until: datetime


@dataclass(frozen=True, slots=True)
class AttemptKey:
    """Names one attempt: whose, and which."""

    session_id: str
    side: ParticipantType
    number: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is known of one attempt's session at the provider.

    `provider_session_id` is empty until it was opened. Nobody knows how the session of a lost attempt stands: the
    browser has to begin another one.
    """

    key: AttemptKey
    provider_session_id: str = ""
    turn: Turn | None = None
    is_lost: bool = False

    def asked_for(self, purpose: Purpose, owner: str, now: datetime) -> "Attempt":
        """The attempt after `owner` has asked for a turn; it has it when the turn is its own.

        Calls wait for each other and for an answer that is due. A turn that ran out was not handed back: nobody knows
        what came of it, so the attempt is lost.
        """
        turn = self.turn
        if self.is_lost or (turn is None and purpose is Purpose.ANSWER):
            return self
        if turn is not None and now >= turn.until:
            return self.lost()
        if turn is None or (turn.purpose is Purpose.ANSWER and purpose is Purpose.ANSWER):
            return replace(self, turn=Turn(Purpose.CALL, owner, now + TURN))
        return self

    def is_turn_of(self, owner: str) -> bool:
        """Whether it is that owner's turn."""
        return self.turn is not None and self.turn.owner == owner

    def handed_back(self, owner: str, now: datetime, *, must_answer: bool) -> "Attempt":
        """The attempt after its owner has done its work; with `must_answer` the browser is next."""
        if not self.is_turn_of(owner):
            return self
        return replace(self, turn=Turn(Purpose.ANSWER, "", now + TURN) if must_answer else None)

    def opened(self, provider_session_id: str) -> "Attempt":
        """The attempt with its session at the provider."""
        return replace(self, provider_session_id=provider_session_id)

    def lost(self) -> "Attempt":
        """The attempt, of no use any more."""
        return replace(self, turn=None, is_lost=True)
