"""Media without a provider: the two browsers talk to each other directly, and this service only passes signals on."""

from collections.abc import Sequence

from video_svc.app.media_errors import MediaError, MediaErrorKind
from video_svc.domain.media import (
    Caps,
    CloseResult,
    LocalTrack,
    Negotiated,
    OpenTrack,
    ProviderHealth,
    Sdp,
    Topology,
    TrackRef,
)

_CAPS = Caps(Topology.PEER_TO_PEER, max_participants=2, server_sees_media=False)


class PeerToPeer:
    """Keeps the promises of video_svc.app.media_ports.MediaProvider: there is nobody in between to negotiate with."""

    caps = _CAPS

    async def open_session(self, _label: str, /) -> str:
        """Empty: there is no session anywhere."""
        return ""

    async def publish(self, _session_id: str, _offer: Sdp, _tracks: Sequence[LocalTrack], /) -> Negotiated:
        """Raises MediaError: descriptions go to the other browser."""
        raise MediaError(MediaErrorKind.INVALID)

    async def subscribe(self, _session_id: str, _wanted: Sequence[TrackRef], /) -> Negotiated:
        """Raises MediaError: tracks come from the other browser."""
        raise MediaError(MediaErrorKind.INVALID)

    async def answer(self, _session_id: str, _answer: Sdp, /) -> None:
        """Raises MediaError: answers go to the other browser."""
        raise MediaError(MediaErrorKind.INVALID)

    async def close_tracks(self, _session_id: str, mids: Sequence[str], /) -> CloseResult:
        """Everything is absent already."""
        return CloseResult(absent=tuple(mids))

    async def inspect(self, _session_id: str, /) -> tuple[OpenTrack, ...]:
        """Nothing."""
        return ()

    async def health(self) -> ProviderHealth:
        """Always well."""
        return ProviderHealth("peer_to_peer", is_configured=True)
