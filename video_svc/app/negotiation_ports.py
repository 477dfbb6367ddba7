"""What negotiating with a forwarding provider has to remember: attempts, answers given, tracks sent."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from video_svc.domain.attempt import Attempt, AttemptKey
from video_svc.domain.media import LocalTrack, Negotiated, TrackRef
from video_svc.domain.visit import ParticipantType


@dataclass(frozen=True, slots=True)
class Wish:
    """What a caller names a request by (empty: nothing), and a digest of what it asks."""

    request_id: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a wish, and the tracks that the participant sends since."""

    wish: Wish
    negotiated: Negotiated
    sent: tuple[LocalTrack, ...] = ()


class Attempts(Protocol):
    """The attempts at the provider."""

    async def change(self, key: AttemptKey, rule: Callable[[Attempt], Attempt]) -> Attempt:
        """Keeps what `rule` makes of an attempt, and answers it; nobody else changes it meanwhile."""

    async def finish(self, key: AttemptKey, rule: Callable[[Attempt], Attempt], done: Done, now: datetime) -> None:
        """Like change, and keeps what was done with it; tells the watchers when tracks are sent."""

    async def answer_to(self, key: AttemptKey, wish: Wish) -> Negotiated | None:
        """What came of the same wish before; None when it is new. Raises IdempotencyKeyReused for another wish."""

    async def sent_by(self, session_id: str, side: ParticipantType) -> Sequence[TrackRef]:
        """The tracks that a participant sends in the current attempt."""

    async def to_clean(self, now: datetime) -> Sequence[Attempt]:
        """Some attempts that are over and may still have tracks at the provider; nobody else is told of them now."""

    async def cleaned(self, key: AttemptKey) -> None:
        """Notes that nothing of an attempt is left at the provider."""

    async def forget(self, before: datetime) -> None:
        """Forgets answers that were given before: they hold addresses of people's machines."""
