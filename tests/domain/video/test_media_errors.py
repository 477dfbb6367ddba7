"""What a caller is told when a media provider fails: the same few words for every provider."""

import pytest

from kernel.errors import Kind
from video_svc.app.media_errors import MediaError, MediaErrorKind, refusal_of

EXPECTED = {
    MediaErrorKind.NOT_CONFIGURED: Kind.FAILED_PRECONDITION,
    MediaErrorKind.UNAUTHORISED: Kind.FAILED_PRECONDITION,
    MediaErrorKind.INVALID: Kind.INVALID_ARGUMENT,
    MediaErrorKind.OUT_OF_ORDER: Kind.ABORTED,
    MediaErrorKind.NOT_READY: Kind.UNAVAILABLE,
    MediaErrorKind.GONE: Kind.FAILED_PRECONDITION,
    MediaErrorKind.TRACK_NOT_FOUND: Kind.NOT_FOUND,
    MediaErrorKind.THROTTLED: Kind.RESOURCE_EXHAUSTED,
    MediaErrorKind.UNAVAILABLE: Kind.UNAVAILABLE,
    MediaErrorKind.OUTCOME_UNKNOWN: Kind.ABORTED,
}


@pytest.mark.parametrize("kind", MediaErrorKind)
def test_every_kind_of_failure_has_its_refusal_and_none_quotes_the_provider(kind: MediaErrorKind) -> None:
    refusal = refusal_of(MediaError(kind, status=418, code="provider_words"))
    assert refusal.kind is EXPECTED[kind]
    assert "provider_words" not in refusal.message + str(refusal.metadata)


def test_a_provider_that_names_a_pause_is_believed() -> None:
    error = MediaError(MediaErrorKind.THROTTLED, status=429, retry_after_seconds=7)
    assert refusal_of(error).retry_after_seconds == 7


def test_only_a_lost_connection_and_an_unknown_outcome_lose_the_attempt() -> None:
    losing = {kind for kind in MediaErrorKind if MediaError(kind).loses_attempt}
    assert losing == {MediaErrorKind.GONE, MediaErrorKind.OUTCOME_UNKNOWN}
