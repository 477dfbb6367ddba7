"""Sends a participant's tracks to the provider."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from chassis.context import Caller
from kernel.errors import InvalidArgument
from video_svc.app.media_access import MediaAccess, Place
from video_svc.domain.media import LocalTrack, Negotiated, Sdp, SdpKind
from video_svc.domain.signals import checked_sdp

MOST_TRACKS = 64
# Names go to the provider and into its records: letters and digits say less than words would.
TRACK_NAME = re.compile(r"[A-Za-z0-9_\-]{1,64}")
_MID = re.compile(r"[A-Za-z0-9_\-]{1,16}")


@dataclass(frozen=True, slots=True)
class PublishTracks:
    """The use case."""

    access: MediaAccess

    async def __call__(self, caller: Caller, place: Place, offer: Sdp, tracks: Sequence[LocalTrack]) -> Negotiated:
        """The provider's answer with what became of each track. Raises InvalidArgument and what entering does."""
        _check(offer, tracks)
        _, key = await self.access.enter(caller, place)
        media = self.access.media

        async def publish(provider_session_id: str) -> Negotiated:
            return await media.publish(provider_session_id, offer, tracks)

        return await self.access.negotiating.exchange(key, place.wish, publish, offered=tuple(tracks))


def _check(offer: Sdp, tracks: Sequence[LocalTrack]) -> None:
    if offer.kind is not SdpKind.OFFER:
        raise InvalidArgument.of("offer.type", "must be OFFER")
    checked_sdp(offer, "offer.sdp")
    if not 1 <= len(tracks) <= MOST_TRACKS:
        raise InvalidArgument.of("tracks", f"must be 1 to {MOST_TRACKS}")
    for index, track in enumerate(tracks):
        if not _MID.fullmatch(track.mid):
            raise InvalidArgument.of(f"tracks[{index}].mid", "must be the mid of a transceiver of the offer")
        if not TRACK_NAME.fullmatch(track.name):
            raise InvalidArgument.of(f"tracks[{index}].name", "must be 1 to 64 letters, digits, - and _")
    if len({track.name for track in tracks}) != len(tracks):
        raise InvalidArgument.of("tracks", "must each have a name of its own")
