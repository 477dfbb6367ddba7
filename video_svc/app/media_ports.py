"""What carries the media, and what helps browsers find a path: two ports that each provider keeps in its own way.

A call that fails raises video_svc.app.media_errors.MediaError and nothing else. Whoever calls sees to it that calls
which change one provider session never overlap, in whatever process; an implementation need not.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from video_svc.domain.media import (
    Caps,
    CloseResult,
    IceServers,
    LocalTrack,
    Negotiated,
    OpenTrack,
    ProviderHealth,
    Sdp,
    TrackRef,
)


class MediaProvider(Protocol):
    """Carries sound and picture between the browsers. A provider session is one PeerConnection of one browser."""

    @property
    def caps(self) -> Caps:
        """What this provider can do; the same for as long as the process lives."""

    async def open_session(self, label: str, /) -> str:
        """A new provider session; empty where the browsers talk to each other directly.

        `label` is random, for finding the session in the provider's own records. An outcome that is not known costs
        nothing: the next call opens another.
        """

    async def publish(self, session_id: str, offer: Sdp, tracks: Sequence[LocalTrack], /) -> Negotiated:
        """Takes a browser's offer and the tracks that it sends; answers with an answer."""

    async def subscribe(self, session_id: str, wanted: Sequence[TrackRef], /) -> Negotiated:
        """Asks for tracks of others; answers with an offer that must be answered before anything else."""

    async def answer(self, session_id: str, answer: Sdp, /) -> None:
        """Hands in the browser's answer to the last offer."""

    async def close_tracks(self, session_id: str, mids: Sequence[str], /) -> CloseResult:
        """Stops forwarding tracks at once, without the browser's help. Safe to repeat."""

    async def inspect(self, session_id: str, /) -> tuple[OpenTrack, ...]:
        """The tracks that the provider knows of."""

    async def health(self) -> ProviderHealth:
        """How the provider does. Opens nothing and raises nothing."""


class IceProvider(Protocol):
    """Tells the browsers by which servers they find a path to each other."""

    async def ice_servers(self, subject: str, lifetime: timedelta, /) -> IceServers:
        """The servers to use, with credentials for at least `lifetime`, or as long as the provider allows.

        `subject` names the holder by a random id, the same for one participant, which tells an outsider nothing.
        """

    async def revoke(self, username: str, /) -> None:
        """Ends the credentials of that user name, as far as the provider can; unknown ones are as good as ended."""

    async def health(self) -> ProviderHealth:
        """How the provider does. Makes no credentials and raises nothing."""
