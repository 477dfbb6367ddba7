"""Hands a browser's answer to the provider, which ends the exchange that a subscription began."""

from dataclasses import dataclass

from chassis.context import Caller
from kernel.errors import InvalidArgument
from video_svc.app.media_access import MediaAccess, Place
from video_svc.domain.attempt import Purpose
from video_svc.domain.media import Negotiated, Sdp, SdpKind
from video_svc.domain.signals import checked_sdp


@dataclass(frozen=True, slots=True)
class AnswerOffer:
    """The use case."""

    access: MediaAccess

    async def __call__(self, caller: Caller, place: Place, answer: Sdp) -> None:
        """Returns once the provider has taken it. Raises InvalidArgument, MediaOutOfOrder and what entering does."""
        if answer.kind is not SdpKind.ANSWER:
            raise InvalidArgument.of("answer.type", "must be ANSWER")
        checked_sdp(answer, "answer.sdp")
        _, key = await self.access.enter(caller, place)
        media = self.access.media

        async def hand_in(provider_session_id: str) -> Negotiated:
            await media.answer(provider_session_id, answer)
            return Negotiated(None, must_answer=False, tracks=())

        await self.access.negotiating.exchange(key, place.wish, hand_in, purpose=Purpose.ANSWER)
