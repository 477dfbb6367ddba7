"""Asks the provider for the tracks that others send."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from chassis.context import Caller
from kernel.errors import InvalidArgument
from video_svc.app.media_access import MediaAccess, Place
from video_svc.app.publish_tracks import MOST_TRACKS, TRACK_NAME
from video_svc.domain.media import Negotiated, TrackFailure, TrackRef, TrackResult
from video_svc.domain.session import Session


@dataclass(frozen=True, slots=True)
class Wanted:
    """A track of somebody in the session, by its sender and its name."""

    participant_id: str
    name: str


@dataclass(frozen=True, slots=True)
class SubscribeTracks:
    """The use case."""

    access: MediaAccess

    async def __call__(self, caller: Caller, place: Place, wanted: Sequence[Wanted]) -> Negotiated:
        """The provider's offer with what became of each track, in the order of `wanted`.

        A track that nobody sends (any more) is a result and no error. Raises InvalidArgument and what entering does.
        """
        _check(wanted)
        session, key = await self.access.enter(caller, place)
        known = await self._known(session)
        found = [known[one] for one in wanted if one in known]

        async def subscribe(provider_session_id: str) -> Negotiated:
            return await self.access.media.subscribe(provider_session_id, found)

        if not found:
            return Negotiated(None, must_answer=False, tracks=tuple(_missing(one) for one in wanted))
        negotiated = await self.access.negotiating.exchange(key, place.wish, subscribe)
        results = {(one.provider_session_id, one.name): one for one in negotiated.tracks}
        tracks = [_result(one, known.get(one), results) for one in wanted]
        return replace(negotiated, tracks=tuple(tracks))

    async def _known(self, session: Session) -> dict[Wanted, TrackRef]:
        """Every track that is sent in the session now."""
        attempts = self.access.negotiating.attempts
        return {
            Wanted(one.participant_id, ref.name): ref
            for one in session.participants
            if one.is_in_call
            for ref in await attempts.sent_by(session.session_id, one.side)
        }


def _missing(wanted: Wanted) -> TrackResult:
    return TrackResult(wanted.name, failure=TrackFailure.NOT_FOUND)


def _result(wanted: Wanted, ref: TrackRef | None, results: dict[tuple[str, str], TrackResult]) -> TrackResult:
    found = results.get((ref.provider_session_id, ref.name)) if ref else None
    return found or _missing(wanted)


def _check(wanted: Sequence[Wanted]) -> None:
    if not 1 <= len(wanted) <= MOST_TRACKS:
        raise InvalidArgument.of("tracks", f"must be 1 to {MOST_TRACKS}")
    for index, one in enumerate(wanted):
        if not TRACK_NAME.fullmatch(one.name):
            raise InvalidArgument.of(f"tracks[{index}].name", "must be a name that the session tells")
    if len(set(wanted)) != len(wanted):
        raise InvalidArgument.of("tracks", "must not name a track twice")
