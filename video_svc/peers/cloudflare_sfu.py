"""Media by Cloudflare's SFU: a browser's one connection to it is a session there."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

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
from video_svc.peers.cloudflare_answers import closed, open_tracks, published, session_id_of, subscribed
from video_svc.peers.cloudflare_http import CloudflareHttp, Operation

# A second session is as good as the one whose answer was lost: one that nobody uses expires.
_OPEN = Operation("open_session", "POST", repeatable=True)
_PUBLISH = Operation("publish", "POST", repeatable=False)
_SUBSCRIBE = Operation("subscribe", "POST", repeatable=False)
_ANSWER = Operation("answer", "PUT", repeatable=False)
_CLOSE = Operation("close_tracks", "PUT", repeatable=True)
_INSPECT = Operation("inspect", "GET", repeatable=True)
_MOST_TRACKS = 64
_CAPS = Caps(Topology.SFU, max_participants=16, server_sees_media=True)


@dataclass(frozen=True, slots=True)
class CloudflareSfu:
    """Keeps the promises of video_svc.app.media_ports.MediaProvider."""

    http: CloudflareHttp
    app_id: str

    @property
    def caps(self) -> Caps:
        """An SFU decrypts what it forwards; it knows no rooms, so how many meet is ours to limit."""
        return _CAPS

    async def open_session(self, label: str, /) -> str:
        """A new session, connected to nothing yet."""
        query = f"?correlationId={quote(label, safe='')}"
        return session_id_of(await self.http.call(_OPEN, f"/apps/{self.app_id}/sessions/new{query}"))

    async def publish(self, session_id: str, offer: Sdp, tracks: Sequence[LocalTrack], /) -> Negotiated:
        """Sends the offer with its tracks; the answer comes back."""
        items = [{"location": "local", "mid": track.mid, "trackName": track.name} for track in tracks]
        body = {"sessionDescription": {"type": "offer", "sdp": offer.text}, "tracks": items}
        return published(await self._add_tracks(_PUBLISH, session_id, body), tracks)

    async def subscribe(self, session_id: str, wanted: Sequence[TrackRef], /) -> Negotiated:
        """Asks for tracks; an offer comes back that the browser has to answer."""
        items = [
            {"location": "remote", "sessionId": track.provider_session_id, "trackName": track.name} for track in wanted
        ]
        return subscribed(await self._add_tracks(_SUBSCRIBE, session_id, {"tracks": items}), wanted)

    async def answer(self, session_id: str, answer: Sdp, /) -> None:
        """Sends the browser's answer to the last offer."""
        body = {"sessionDescription": {"type": "answer", "sdp": answer.text}}
        await self.http.call(_ANSWER, self._path(session_id, "/renegotiate"), body)

    async def close_tracks(self, session_id: str, mids: Sequence[str], /) -> CloseResult:
        """Closes by force, which needs no description; a session that is gone forwards nothing any more."""
        result = CloseResult()
        for first in range(0, len(mids), _MOST_TRACKS):
            batch = mids[first : first + _MOST_TRACKS]
            body = {"tracks": [{"mid": mid} for mid in batch], "force": True}
            try:
                done = closed(await self.http.call(_CLOSE, self._path(session_id, "/tracks/close"), body), batch)
            except MediaError as error:
                if error.kind is not MediaErrorKind.GONE:
                    raise
                done = CloseResult(absent=tuple(batch))
            result = CloseResult(result.closed + done.closed, result.absent + done.absent, result.failed + done.failed)
        return result

    async def inspect(self, session_id: str, /) -> tuple[OpenTrack, ...]:
        """What the SFU knows of a session; closed tracks stay listed for a while, as not active."""
        return open_tracks(await self.http.call(_INSPECT, self._path(session_id)))

    async def health(self) -> ProviderHealth:
        """By the last real calls: a probe would have to make a session."""
        return self.http.health()

    async def _add_tracks(self, operation: Operation, session_id: str, body: dict[str, Any]) -> Any:
        names = {item["trackName"] for item in body["tracks"]}
        if not 0 < len(body["tracks"]) <= _MOST_TRACKS:
            raise MediaError(MediaErrorKind.INVALID, code="number_of_tracks")
        try:
            return await self.http.call(operation, self._path(session_id, "/tracks/new"), body)
        except MediaError as error:
            raise await self._settled(error, session_id, names) from None

    async def _settled(self, error: MediaError, session_id: str, names: set[str]) -> MediaError:
        """The same error, or a milder one where an inspection shows that a failed call has done nothing.

        Only a call that was answered can be judged so: one without an answer may still be at work.
        """
        if error.kind is not MediaErrorKind.OUTCOME_UNKNOWN or error.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            return error
        try:
            there = await self.inspect(session_id)
        except MediaError:
            return error
        if any(track.name in names for track in there):
            return error
        return MediaError(
            MediaErrorKind.UNAVAILABLE,
            status=error.status,
            code=error.code,
            retry_after_seconds=error.retry_after_seconds,
        )

    def _path(self, session_id: str, rest: str = "") -> str:
        return f"/apps/{self.app_id}/sessions/{quote(session_id, safe='')}{rest}"
