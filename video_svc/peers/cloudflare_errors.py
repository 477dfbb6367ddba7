"""What an answer of Cloudflare's that is no success means to us: status and code decide, its words never leave."""

import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from video_svc.app.media_errors import MediaErrorKind
from video_svc.domain.media import TrackFailure

_BY_STATUS = {
    HTTPStatus.BAD_REQUEST: MediaErrorKind.INVALID,
    HTTPStatus.UNAUTHORIZED: MediaErrorKind.UNAUTHORISED,
    HTTPStatus.FORBIDDEN: MediaErrorKind.UNAUTHORISED,
    # The app or the TURN key is not there; a session that is not there is 410.
    HTTPStatus.NOT_FOUND: MediaErrorKind.NOT_CONFIGURED,
    HTTPStatus.NOT_ACCEPTABLE: MediaErrorKind.OUT_OF_ORDER,
    HTTPStatus.GONE: MediaErrorKind.GONE,
    HTTPStatus.TOO_EARLY: MediaErrorKind.NOT_READY,
    HTTPStatus.TOO_MANY_REQUESTS: MediaErrorKind.THROTTLED,
}
# An answer of 200 may carry one of these for the request as a whole.
_BY_CODE = {
    "unauthorized": MediaErrorKind.UNAUTHORISED,
    "not_found": MediaErrorKind.NOT_CONFIGURED,
    "decoding_error": MediaErrorKind.INVALID,
    "invalid_params": MediaErrorKind.INVALID,
    "payload_too_large": MediaErrorKind.INVALID,
    "session_error": MediaErrorKind.GONE,
    "invalid_session_description": MediaErrorKind.OUT_OF_ORDER,
    "not_found_track_error": MediaErrorKind.TRACK_NOT_FOUND,
    "empty_track_error": MediaErrorKind.TRACK_NOT_FOUND,
}
_TRACKS = {
    "not_found_track_error": TrackFailure.NOT_FOUND,
    "empty_track_error": TrackFailure.NOT_FOUND,
    "repeated_local_track_error": TrackFailure.REPEATED,
    "decoding_error": TrackFailure.INVALID,
    "invalid_params": TrackFailure.INVALID,
    "invalid_session_description": TrackFailure.INVALID,
    "update_track_error": TrackFailure.INVALID,
}


def kind_of_status(status: int, code: str) -> MediaErrorKind | None:
    """The kind of an error by its HTTP status; None for a fault on their side, whose effect is open.

    406 is shared by a wrong order and by parameters that are wrong whenever they come; the code tells these two apart.
    """
    if status == HTTPStatus.NOT_ACCEPTABLE and _BY_CODE.get(code) is MediaErrorKind.INVALID:
        return MediaErrorKind.INVALID
    if status in _BY_STATUS:
        return _BY_STATUS[HTTPStatus(status)]
    is_our_fault = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    return MediaErrorKind.INVALID if is_our_fault and status != HTTPStatus.REQUEST_TIMEOUT else None


def kind_of_code(code: str) -> MediaErrorKind | None:
    """The kind of an error that came with a status of success; None for one whose effect is open."""
    return _BY_CODE.get(code)


def failure_of(code: str) -> TrackFailure:
    """Why one track of a batch failed."""
    return _TRACKS.get(code, TrackFailure.UNAVAILABLE)


def code_of(answer: Any) -> str:
    """The errorCode of an answer or of one of its items; empty where there is none."""
    code = answer.get("errorCode") if isinstance(answer, Mapping) else None
    return code if isinstance(code, str) else ""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds of a Retry-After header; None without one, or where it is a date."""
    try:
        seconds = float(headers.get("retry-after", ""))
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None
