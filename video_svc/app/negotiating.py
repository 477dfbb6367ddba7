"""One exchange with the provider at a time, whichever replica it comes through, and each of them once."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import uuid4

from chassis.clock import Clock
from chassis.context import remaining_seconds
from kernel.errors import IdempotencyKeyReused
from video_svc.app.media_errors import MediaError, refusal_of
from video_svc.app.negotiation_ports import Attempts, Done, Wish
from video_svc.domain.attempt import Attempt, AttemptKey, Purpose
from video_svc.domain.errors import AttemptGone, MediaOutOfOrder
from video_svc.domain.media import LocalTrack, Negotiated

# So long an exchange waits for the one before it, as far as the caller's deadline allows.
_PATIENCE_SECONDS = 5.0
_SPARE_SECONDS = 0.5
_LOOK_AGAIN_SECONDS = 0.05

Work = Callable[[str], Awaitable[Negotiated]]


@dataclass(frozen=True, slots=True)
class Negotiating:
    """Gives turns. A provider's failure comes out as what a caller is told of it."""

    attempts: Attempts
    clock: Clock

    async def exchange(
        self,
        key: AttemptKey,
        wish: Wish,
        work: Work,
        *,
        purpose: Purpose = Purpose.CALL,
        offered: tuple[LocalTrack, ...] = (),
    ) -> Negotiated:
        """Does the work in its turn, and answers what came of it; the same wish is done once.

        `offered` are the tracks that are sent once the work has succeeded. Raises AttemptGone, MediaOutOfOrder,
        IdempotencyKeyReused, and the provider's refusal.
        """
        owner = str(uuid4())
        attempt = await self._turn(key, wish, purpose, owner)
        if isinstance(attempt, Negotiated):
            return attempt
        try:
            negotiated = await work(attempt.provider_session_id)
        except MediaError as error:
            await self._failed(key, owner, error, purpose)
            raise refusal_of(error) from error
        good = {track.name for track in negotiated.tracks if track.is_good}
        done = Done(wish, negotiated, tuple(track for track in offered if track.name in good))
        now = self.clock()
        await self.attempts.finish(
            key, lambda it: it.handed_back(owner, now, must_answer=negotiated.must_answer), done, now
        )
        return negotiated

    async def opened(self, key: AttemptKey, open_session: Callable[[], Awaitable[str]]) -> str:
        """The attempt's session at the provider, opened when it is not yet."""
        owner, nothing = str(uuid4()), Wish("", b"")
        attempt = await self._turn(key, nothing, Purpose.CALL, owner)
        if isinstance(attempt, Negotiated):
            raise TypeError("a wish without a name has no answer")
        provider_session_id = attempt.provider_session_id
        try:
            provider_session_id = provider_session_id or await open_session()
        except MediaError as error:
            # A session that nobody has the name of expires unused: the same attempt may open another.
            await self.attempts.change(key, lambda it: it.handed_back(owner, self.clock(), must_answer=False))
            raise refusal_of(error) from error
        await self.attempts.change(
            key, lambda it: it.opened(provider_session_id).handed_back(owner, self.clock(), must_answer=False)
        )
        return provider_session_id

    async def _turn(self, key: AttemptKey, wish: Wish, purpose: Purpose, owner: str) -> Attempt | Negotiated:
        """The attempt once it is the owner's turn, or what came of the same wish before."""
        loop = asyncio.get_running_loop()
        until = loop.time() + _patience()
        while True:
            attempt = await self.attempts.change(key, lambda it: it.asked_for(purpose, owner, self.clock()))
            # Looked for after asking: a twin of this call may have finished while it waited for its turn.
            try:
                known = await self.attempts.answer_to(key, wish)
            except IdempotencyKeyReused:
                await self._hand_back(key, owner, purpose)
                raise
            if known is not None:
                await self._hand_back(key, owner, purpose)
                return known
            if attempt.is_turn_of(owner):
                return attempt
            if attempt.is_lost:
                raise AttemptGone("this connection cannot be gone on with; start the session again")
            if attempt.turn is None:
                raise MediaOutOfOrder("there is no offer to answer")
            if loop.time() >= until:
                raise MediaOutOfOrder(
                    "finish the exchange under way first: answer the last offer", retry_after_seconds=1
                )
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)

    async def _hand_back(self, key: AttemptKey, owner: str, purpose: Purpose) -> None:
        """Gives up a turn in which nothing was done; an answer that was due is still due."""
        is_due, now = purpose is Purpose.ANSWER, self.clock()
        await self.attempts.change(key, lambda it: it.handed_back(owner, now, must_answer=is_due))

    async def _failed(self, key: AttemptKey, owner: str, error: MediaError, purpose: Purpose) -> None:
        """Hands the turn back, or gives the attempt up."""
        if error.loses_attempt:
            await self.attempts.change(key, Attempt.lost)
        else:
            await self._hand_back(key, owner, purpose)


def _patience() -> float:
    remaining = remaining_seconds()
    return _PATIENCE_SECONDS if remaining is None else max(0.0, min(_PATIENCE_SECONDS, remaining - _SPARE_SECONDS))
