"""What stands behind the double's API: text that looks like SDP here, real media in media_sfu.py."""

import re
from dataclasses import dataclass, field
from typing import Any, Protocol

_MID = re.compile(r"^a=mid:(\S+)", re.MULTILINE)


class BadDescription(Exception):
    """The SDP is unfit for the connection."""


class Engine(Protocol):
    """The media side of the SFU. A session is known by its id; each is one PeerConnection."""

    async def publish(self, session_id: str, offer: str, mids: dict[str, str]) -> str:
        """Takes an offer with tracks (mid to name) and gives the answer. Raises BadDescription."""

    async def subscribe(self, session_id: str, wanted: list[tuple[str, str]]) -> tuple[str, list[str]]:
        """Makes an offer that brings tracks (publisher's session id, name); tells the mids in the same order."""

    async def accept(self, session_id: str, answer: str) -> None:
        """Takes the answer to the offer before. Raises BadDescription."""

    async def close(self, session_id: str, mid: str) -> None:
        """Stops one transceiver."""


def mids_of(sdp: str) -> list[str]:
    """The mids of a description, in order."""
    return _MID.findall(sdp)


@dataclass
class TextEngine:
    """Speaks just enough SDP to be told apart: a section for each mid, and no media at all."""

    mids: dict[str, list[str]] = field(default_factory=dict)

    async def publish(self, session_id: str, offer: str, mids: dict[str, str]) -> str:
        offered = mids_of(offer)
        if not offer.startswith("v=0") or not set(mids) <= set(offered):
            raise BadDescription
        self.mids[session_id] = [*self.mids.get(session_id, []), *offered]
        return text_sdp(offered)

    async def subscribe(self, session_id: str, wanted: list[tuple[str, str]]) -> tuple[str, list[str]]:
        known = self.mids.setdefault(session_id, [])
        new = [str(len(known) + number) for number in range(len(wanted))]
        known.extend(new)
        return text_sdp(known), new

    async def accept(self, session_id: str, answer: str) -> None:
        if mids_of(answer) != self.mids[session_id]:
            raise BadDescription

    async def close(self, session_id: str, mid: str) -> None:
        """Nothing flows here, so nothing has to be stopped."""


def text_sdp(mids: list[str]) -> str:
    """A description with a video section for each mid."""
    sections = "".join(f"m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:{mid}\r\n" for mid in mids)
    return f"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n{sections}"


def item_error(item: dict[str, Any], code: str) -> dict[str, Any]:
    """An item that failed, with words that must never reach a browser."""
    return {**item, "errorCode": code, "errorDescription": f"the provider's own words about {code}"}
