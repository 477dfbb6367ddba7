"""Reads the answers of Cloudflare's SFU: each track by itself, for an answer of success may hold failed ones."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from video_svc.app.media_errors import MediaError, MediaErrorKind
from video_svc.domain.media import (
    CloseResult,
    Direction,
    LocalTrack,
    Negotiated,
    OpenTrack,
    Sdp,
    SdpKind,
    TrackFailure,
    TrackRef,
    TrackResult,
)
from video_svc.peers.cloudflare_errors import code_of, failure_of

# What is asked to be closed and is not there counts as closed.
_ABSENT = "close_track_error"


def session_id_of(answer: Any) -> str:
    """The id of a new session. Raises MediaError when there is none: then another one may be made."""
    session_id = _text(answer, "sessionId")
    if not session_id:
        raise MediaError(MediaErrorKind.UNAVAILABLE, code="no_session_id")
    return session_id


def published(answer: Any, tracks: Sequence[LocalTrack]) -> Negotiated:
    """What became of tracks that a browser sends."""
    items = {_text(item, "trackName"): item for item in _items(answer)}
    results = tuple(_result(items.get(track.name), TrackResult(track.name, track.mid)) for track in tracks)
    return _negotiated(answer, results, SdpKind.ANSWER)


def subscribed(answer: Any, wanted: Sequence[TrackRef]) -> Negotiated:
    """What became of tracks that a browser asked for."""
    items = {(_text(item, "sessionId"), _text(item, "trackName")): item for item in _items(answer)}
    results = tuple(
        _result(
            items.get((track.provider_session_id, track.name)),
            TrackResult(track.name, provider_session_id=track.provider_session_id),
        )
        for track in wanted
    )
    return _negotiated(answer, results, SdpKind.OFFER)


def closed(answer: Any, mids: Sequence[str]) -> CloseResult:
    """Which tracks are closed; one that the answer does not mention is not."""
    codes = {_text(item, "mid"): code_of(item) for item in _items(answer)}
    return CloseResult(
        closed=tuple(mid for mid in mids if codes.get(mid) == ""),
        absent=tuple(mid for mid in mids if codes.get(mid) == _ABSENT),
        failed=tuple(mid for mid in mids if codes.get(mid, "unreported") not in ("", _ABSENT)),
    )


def open_tracks(answer: Any) -> tuple[OpenTrack, ...]:
    """The tracks that an inspection tells; one without a place in the connection is none."""
    return tuple(
        OpenTrack(
            mid=_text(item, "mid"),
            name=_text(item, "trackName"),
            direction=Direction.SENT if _text(item, "location") == "local" else Direction.RECEIVED,
            active=_text(item, "status") == "active",
        )
        for item in _items(answer)
        if _text(item, "mid")
    )


def _negotiated(answer: Any, tracks: tuple[TrackResult, ...], kind: SdpKind) -> Negotiated:
    """The outcome as a whole. Raises MediaError when a track is there and its description was lost."""
    sdp = _description(answer, kind)
    if sdp is None and any(track.is_good for track in tracks):
        raise MediaError(MediaErrorKind.OUTCOME_UNKNOWN, code="no_description")
    return Negotiated(sdp, must_answer=sdp is not None and kind is SdpKind.OFFER, tracks=tracks)


def _description(answer: Any, kind: SdpKind) -> Sdp | None:
    found = answer.get("sessionDescription") if isinstance(answer, Mapping) else None
    text = _text(found, "sdp")
    return Sdp(kind, text) if text and _text(found, "type") == kind.value.lower() else None


def _result(item: Mapping[str, Any] | None, track: TrackResult) -> TrackResult:
    if item is None:
        return TrackResult(track.name, track.mid, track.provider_session_id, TrackFailure.UNAVAILABLE)
    code = code_of(item)
    mid = _text(item, "mid") or track.mid
    failure = failure_of(code) if code else None if mid else TrackFailure.UNAVAILABLE
    return TrackResult(track.name, mid, track.provider_session_id, failure)


def _items(answer: Any) -> Iterator[Mapping[str, Any]]:
    items = answer.get("tracks") if isinstance(answer, Mapping) else None
    return (item for item in items if isinstance(item, Mapping)) if isinstance(items, list) else iter(())


def _text(item: Any, name: str) -> str:
    value = item.get(name) if isinstance(item, Mapping) else None
    return value if isinstance(value, str) else ""
