"""Real media behind the double of Cloudflare's API: aiortc connections on loopback, and a relay between them."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import aioice.ice
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCRtpTransceiver, RTCSessionDescription
from aiortc.codecs import CODECS, HEADER_EXTENSIONS, get_capabilities
from aiortc.contrib.media import MediaRelay
from aiortc.rtcconfiguration import RTCBundlePolicy
from aiortc.rtcrtpparameters import RTCRtpCodecParameters, RTCRtpHeaderExtensionParameters

from tests.doubles.sfu_engine import BadDescription

# Chromium refuses an offer that gives its own numbers another meaning, so these are Chromium's.
_OPUS, _VP8, _RTX = 111, 96, 97
_EXTENSIONS = {
    "audio": {4: "urn:ietf:params:rtp-hdrext:sdes:mid", 1: "urn:ietf:params:rtp-hdrext:ssrc-audio-level"},
    "video": {
        4: "urn:ietf:params:rtp-hdrext:sdes:mid",
        2: "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
    },
}
_FORWARDED = {"audio": ("audio/opus",), "video": ("video/VP8", "video/rtx")}


@dataclass
class RelayEngine:
    """Keeps the promises of tests.doubles.sfu_engine.Engine: what one session publishes, the others may receive."""

    connections: dict[str, RTCPeerConnection] = field(default_factory=dict)
    published: dict[tuple[str, str], MediaStreamTrack] = field(default_factory=dict)
    relay: MediaRelay = field(default_factory=MediaRelay)

    async def publish(self, session_id: str, offer: str, mids: dict[str, str]) -> str:
        connection = self._connection(session_id)
        await _describe(connection, "offer", offer)
        for mid, name in mids.items():
            self.published[session_id, name] = _transceiver(connection, mid).receiver.track
        await connection.setLocalDescription(await connection.createAnswer())
        return connection.localDescription.sdp

    async def subscribe(self, session_id: str, wanted: list[tuple[str, str]]) -> tuple[str, list[str]]:
        connection = self._connection(session_id)
        added = [self._forward(connection, self.published[source]) for source in wanted]
        await connection.setLocalDescription(await connection.createOffer())
        return connection.localDescription.sdp, [transceiver.mid for transceiver in added]

    async def accept(self, session_id: str, answer: str) -> None:
        await _describe(self._connection(session_id), "answer", answer)

    async def close(self, session_id: str, mid: str) -> None:
        transceiver = _transceiver(self._connection(session_id), mid)
        transceiver.sender.replaceTrack(None)
        gone = [key for key, track in self.published.items() if track is transceiver.receiver.track]
        for key in gone:
            self.published.pop(key).stop()

    async def stop(self) -> None:
        """Closes every connection."""
        for connection in self.connections.values():
            await connection.close()

    def _connection(self, session_id: str) -> RTCPeerConnection:
        if session_id not in self.connections:
            configuration = RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
            self.connections[session_id] = RTCPeerConnection(configuration)
        return self.connections[session_id]

    def _forward(self, connection: RTCPeerConnection, source: MediaStreamTrack) -> RTCRtpTransceiver:
        track = self.relay.subscribe(source, buffered=False)
        transceiver = connection.addTransceiver(track, direction="sendonly")
        known = get_capabilities(track.kind).codecs
        transceiver.setCodecPreferences([codec for codec in known if codec.mimeType in _FORWARDED[track.kind]])
        return transceiver


async def _describe(connection: RTCPeerConnection, kind: str, sdp: str) -> None:
    try:
        await connection.setRemoteDescription(RTCSessionDescription(sdp=sdp, type=kind))
    except Exception as error:
        raise BadDescription from error


def _transceiver(connection: RTCPeerConnection, mid: str) -> RTCRtpTransceiver:
    for transceiver in connection.getTransceivers():
        if transceiver.mid == mid:
            return transceiver
    raise BadDescription


def _codecs() -> dict[str, list[RTCRtpCodecParameters]]:
    opus = RTCRtpCodecParameters(mimeType="audio/opus", clockRate=48000, channels=2, payloadType=_OPUS)
    vp8, rtx = (codec for codec in CODECS["video"] if codec.payloadType in (97, 98))
    vp8 = RTCRtpCodecParameters(**{**vars(vp8), "payloadType": _VP8})
    rtx = RTCRtpCodecParameters(**{**vars(rtx), "payloadType": _RTX, "parameters": {"apt": _VP8}})
    return {"audio": [opus], "video": [vp8, rtx]}


def _extensions() -> dict[str, list[RTCRtpHeaderExtensionParameters]]:
    return {
        kind: [RTCRtpHeaderExtensionParameters(id=number, uri=uri) for number, uri in table.items()]
        for kind, table in _EXTENSIONS.items()
    }


def _loopback(**_families: bool) -> list[str]:
    return ["127.0.0.1"]


@contextmanager
def on_loopback() -> Iterator[None]:
    """Lets aiortc connect over 127.0.0.1 alone, which it never offers by itself, with Chromium's numbers."""
    tables: list[tuple[dict[str, Any], dict[str, Any]]] = [(CODECS, _codecs()), (HEADER_EXTENSIONS, _extensions())]
    with ExitStack() as changed:
        changed.enter_context(mock.patch.object(aioice.ice, "get_host_addresses", _loopback))
        for table, values in tables:
            changed.enter_context(mock.patch.dict(table, values))
        yield
