"""The one error of the media providers, and what each of its kinds means to a caller."""

from collections.abc import Mapping
from enum import Enum
from typing import TypeAlias

from kernel.errors import InvalidArgument, Refusal
from video_svc.domain.errors import (
    AttemptGone,
    MediaBusy,
    MediaNotConfigured,
    MediaOutOfOrder,
    MediaThrottled,
    MediaUnavailable,
    OutcomeUnknown,
    TrackNotFound,
)


class MediaErrorKind(Enum):
    """Everything that can go wrong at a provider, decided by how the call ended and never by the provider's text."""

    # The provider lacks something that the clinic has to configure.
    NOT_CONFIGURED = "NOT_CONFIGURED"
    # Our own credentials were refused (401, 403): the clinic's fault, never the caller's.
    UNAUTHORISED = "UNAUTHORISED"
    # What was sent makes no sense to the provider (400, 413, 422).
    INVALID = "INVALID"
    # An earlier exchange on this provider session has not been finished (406).
    OUT_OF_ORDER = "OUT_OF_ORDER"
    # The provider session is still being set up (425): the same call works a little later.
    NOT_READY = "NOT_READY"
    # The provider session is no more (410): begin a new attempt.
    GONE = "GONE"
    # Not one of the tracks is there (404).
    TRACK_NOT_FOUND = "TRACK_NOT_FOUND"
    # Too many calls (429).
    THROTTLED = "THROTTLED"
    # The provider or the way to it is down, and nothing has happened there (5xx, no connection).
    UNAVAILABLE = "UNAVAILABLE"
    # The call was sent and no answer came: it may or may not have had its effect, so the attempt is lost.
    OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"


class MediaError(Exception):
    """A call to a provider that failed. `status` is HTTP's, 0 without one; `code` is the provider's own, for logs."""

    def __init__(
        self, kind: MediaErrorKind, *, status: int = 0, code: str = "", retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(kind.value)
        self.kind = kind
        self.status = status
        self.code = code
        self.retry_after_seconds = retry_after_seconds

    @property
    def loses_attempt(self) -> bool:
        """Whether the provider session is of no use any more, so that the browser has to begin a new attempt."""
        return self.kind in (MediaErrorKind.GONE, MediaErrorKind.OUTCOME_UNKNOWN)


_Refusal: TypeAlias = type[Refusal]
_REFUSALS: Mapping[MediaErrorKind, tuple[_Refusal, str]] = {
    MediaErrorKind.NOT_CONFIGURED: (MediaNotConfigured, "the clinic's video provider is not set up"),
    MediaErrorKind.UNAUTHORISED: (MediaNotConfigured, "the clinic's video provider refuses the clinic's account"),
    MediaErrorKind.INVALID: (InvalidArgument, "the video provider cannot read the description or the tracks"),
    MediaErrorKind.OUT_OF_ORDER: (MediaOutOfOrder, "finish the exchange under way first: answer the last offer"),
    MediaErrorKind.NOT_READY: (MediaBusy, "the connection is still being set up; the same call works a little later"),
    MediaErrorKind.GONE: (AttemptGone, "the provider has closed this connection; start the session again"),
    MediaErrorKind.TRACK_NOT_FOUND: (TrackNotFound, "nobody publishes such a track now"),
    MediaErrorKind.THROTTLED: (MediaThrottled, "too many calls to the video provider"),
    MediaErrorKind.UNAVAILABLE: (MediaUnavailable, "the video provider is not available"),
    MediaErrorKind.OUTCOME_UNKNOWN: (OutcomeUnknown, "no answer came from the video provider; start the session again"),
}
_RETRY_SECONDS = {MediaErrorKind.NOT_READY: 0.5, MediaErrorKind.THROTTLED: 1.0, MediaErrorKind.UNAVAILABLE: 1.0}


def refusal_of(error: MediaError) -> Refusal:
    """What a caller is told of a provider's failure: what to do next, and nothing in the provider's words."""
    refusal, message = _REFUSALS[error.kind]
    delay = error.retry_after_seconds or _RETRY_SECONDS.get(error.kind)
    return refusal(message, retry_after_seconds=delay)
