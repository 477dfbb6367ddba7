"""Closes at the provider what nobody uses any more; no visit waits for it."""

from dataclasses import dataclass

from chassis.background import periodically
from chassis.clock import Clock
from video_svc.app.media_errors import MediaError, MediaErrorKind
from video_svc.app.media_ports import MediaProvider
from video_svc.app.negotiation_ports import Attempts
from video_svc.domain.attempt import Attempt

_EVERY_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class CleanUp:
    """The use case. What cannot be closed now is tried again later."""

    attempts: Attempts
    media: MediaProvider
    clock: Clock

    async def __call__(self) -> None:
        """Closes what some attempts that are over have left at the provider."""
        for attempt in await self.attempts.to_clean(self.clock()):
            if await self._is_closed(attempt):
                await self.attempts.cleaned(attempt.key)

    async def _is_closed(self, attempt: Attempt) -> bool:
        try:
            # Asked anew: an answer that was lost may have opened tracks that we were never told of.
            mids = [track.mid for track in await self.media.inspect(attempt.provider_session_id)]
            result = await self.media.close_tracks(attempt.provider_session_id, mids) if mids else None
        except MediaError as error:
            return error.kind is MediaErrorKind.GONE
        return result is None or not result.failed

    async def run(self) -> None:
        """Does it every other second, for ever."""
        await periodically(_EVERY_SECONDS, self)
