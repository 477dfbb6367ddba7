"""Words about sound and picture on their way: descriptions, tracks, and what a provider made of them."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum


class SdpKind(Enum):
    """What a session description is (RFC 8829 §4.1.8)."""

    OFFER = "OFFER"
    ANSWER = "ANSWER"


@dataclass(frozen=True, slots=True)
class Sdp:
    """A session description. Its text holds addresses of people's machines: it is never logged, so `repr` leaves it."""

    kind: SdpKind
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LocalTrack:
    """A track that a browser sends: the `mid` of its place in the offer, and a name without meaning to outsiders."""

    mid: str
    name: str


@dataclass(frozen=True, slots=True)
class TrackRef:
    """A track that somebody publishes: the publisher's provider session, and the track's name in it."""

    provider_session_id: str
    name: str


@dataclass(frozen=True, slots=True)
class TrackResult:
    """What became of one track. `failure` says why it failed; None means that it is there.

    `provider_session_id` is the publisher's for a track that was subscribed to, and empty for one's own; `mid` is empty
    when the track got no place in the description.
    """

    name: str
    mid: str = ""
    provider_session_id: str = ""
    failure: "TrackFailure | None" = None

    @property
    def is_good(self) -> bool:
        """Whether the track is there."""
        return self.failure is None


class TrackFailure(Enum):
    """Why one track of a batch failed while others may not have."""

    # Nobody publishes it now; it may come (or come back), so the same wish may work later.
    NOT_FOUND = "NOT_FOUND"
    # Its name, or its place in the description, is taken already.
    REPEATED = "REPEATED"
    # The provider refused it as it was written.
    INVALID = "INVALID"
    # The provider failed at it; the same wish may work later.
    UNAVAILABLE = "UNAVAILABLE"


@dataclass(frozen=True, slots=True)
class Negotiated:
    """What a provider answered to a batch of tracks: partial success is data and no error.

    `sdp` is what the browser must apply, None when not one track succeeded. With `must_answer` it is an offer, and
    nothing else may be negotiated on this provider session before its answer was handed in.
    """

    sdp: Sdp | None
    must_answer: bool
    tracks: tuple[TrackResult, ...]


@dataclass(frozen=True, slots=True)
class CloseResult:
    """The `mid`s that were closed, that were not there (which is as good), and that could not be closed now."""

    closed: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


class Direction(Enum):
    """Which way a track goes, as the browser sees it."""

    SENT = "SENT"
    RECEIVED = "RECEIVED"


@dataclass(frozen=True, slots=True)
class OpenTrack:
    """A track that a provider says is open now. `active` proves nothing about packets."""

    mid: str
    name: str
    direction: Direction
    active: bool


class Topology(Enum):
    """How the browsers reach each other."""

    PEER_TO_PEER = "PEER_TO_PEER"
    SFU = "SFU"


@dataclass(frozen=True, slots=True)
class Caps:
    """What a provider can do. `server_sees_media`: whether it holds the keys of what it forwards."""

    topology: Topology
    max_participants: int
    server_sees_media: bool


@dataclass(frozen=True, slots=True)
class IceServer:
    """A STUN or TURN server, as the browser's RTCIceServer has it; the last two are empty for STUN."""

    urls: tuple[str, ...]
    username: str = ""
    credential: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class IceServers:
    """Servers to use, and the aware instant at which their credentials run out; None when they do not."""

    servers: tuple[IceServer, ...]
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class ProviderHealth:
    """How a provider does, by what was seen of the last real call: asking it anew would cost something.

    `last_error` is a kind and never the provider's text; `last_success` is an aware instant, None before the first.
    """

    name: str
    is_configured: bool
    last_success: datetime | None = None
    last_error: str = ""
