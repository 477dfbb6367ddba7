"""Signals: what one browser says to the other before and while they are connected, and what is too much of it."""

from dataclasses import dataclass, field

from kernel.errors import InvalidArgument
from video_svc.domain.media import Sdp
from video_svc.domain.visit import ParticipantType

# Chromium's offer of sound and picture has 6 kB; the gateway takes bodies up to 64 KiB.
MOST_SDP_BYTES = 60_000
MOST_CANDIDATES = 32
MOST_CANDIDATE_BYTES = 1_024
# So many signals wait for one that is missing, and for so long, before the sender is told to send it again.
MOST_WAITING = 64
LONGEST_GAP_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """An ICE candidate, as RTCIceCandidateInit has it. It holds an address, so `repr` leaves it out."""

    candidate: str = field(repr=False)
    mid: str = ""
    line_index: int | None = None
    ufrag: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Payload:
    """What is said: at least one of the three."""

    description: Sdp | None = None
    candidates: tuple[Candidate, ...] = ()
    end_of_candidates: bool = False


@dataclass(frozen=True, slots=True)
class Signal:
    """A payload from one side in one attempt, for one attempt of the other side. Numbers count from 1 per attempt."""

    sender: ParticipantType
    attempt: int
    number: int
    receiver_attempt: int
    payload: Payload

    @property
    def receiver(self) -> ParticipantType:
        """The other side."""
        return ParticipantType.DOCTOR if self.sender is ParticipantType.PATIENT else ParticipantType.PATIENT


def checked_sdp(sdp: Sdp, name: str) -> Sdp:
    """The description, when it is one that may be passed on. Raises InvalidArgument for the field of that name."""
    if len(sdp.text.encode()) > MOST_SDP_BYTES:
        raise InvalidArgument.of(name, f"must not be larger than {MOST_SDP_BYTES} bytes")
    if not sdp.text.startswith("v=0"):
        raise InvalidArgument.of(name, "must be a session description, which begins with v=0")
    return sdp


def checked_payload(payload: Payload) -> Payload:
    """The payload, when it may be passed on. Raises InvalidArgument naming what is wrong with it."""
    if payload.description is not None:
        checked_sdp(payload.description, "payload.description.sdp")
    if len(payload.candidates) > MOST_CANDIDATES:
        raise InvalidArgument.of(
            "payload.candidates", f"must be at most {MOST_CANDIDATES}; send more in a further signal"
        )
    for index, one in enumerate(payload.candidates):
        where = f"payload.candidates[{index}]"
        if len(one.candidate.encode()) > MOST_CANDIDATE_BYTES:
            raise InvalidArgument.of(f"{where}.candidate", f"must not be larger than {MOST_CANDIDATE_BYTES} bytes")
        if max(len(one.mid), len(one.ufrag)) > _LONGEST_NAME:
            raise InvalidArgument.of(where, f"sdp_mid and username_fragment have at most {_LONGEST_NAME} characters")
    if payload == Payload():
        raise InvalidArgument.of("payload", "must hold a description, candidates, or end_of_candidates")
    return payload


_LONGEST_NAME = 256
