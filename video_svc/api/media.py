"""Between negotiation with a forwarding provider and its messages."""

from collections.abc import Iterable
from typing import TypeAlias

from telemed.video.v1 import media_pb2 as pb

from chassis.enum_map import EnumMap
from chassis.ids import parse_uuid
from chassis.protos import fingerprint
from kernel.errors import InvalidArgument
from video_svc.api.signalling import from_sdp, to_sdp
from video_svc.app.media_access import Place
from video_svc.app.negotiation_ports import Wish
from video_svc.app.subscribe_tracks import Wanted
from video_svc.domain.media import LocalTrack, Negotiated, Sdp, TrackFailure, TrackResult

_ERRORS = EnumMap(pb.TrackError.DESCRIPTOR, TrackFailure)
_LONGEST_REQUEST_ID = 255
_Request: TypeAlias = pb.PublishTracksRequest | pb.SubscribeTracksRequest | pb.AnswerOfferRequest


def to_place(request: _Request) -> Place:
    """Where a request is at home. Raises InvalidArgument."""
    return Place(parse_uuid(request.session_id, "session_id"), request.attempt, _wish(request))


def _wish(request: _Request) -> Wish:
    if len(request.request_id) > _LONGEST_REQUEST_ID:
        raise InvalidArgument.of("request_id", f"must not be longer than {_LONGEST_REQUEST_ID} characters")
    return Wish(request.request_id, fingerprint(request))


def to_offer(request: pb.PublishTracksRequest) -> Sdp:
    """The offer of a request. Raises InvalidArgument."""
    return to_sdp(request.offer, "offer")


def to_answer(request: pb.AnswerOfferRequest) -> Sdp:
    """The answer of a request. Raises InvalidArgument."""
    return to_sdp(request.answer, "answer")


def to_local_tracks(request: pb.PublishTracksRequest) -> tuple[LocalTrack, ...]:
    """The tracks of a request."""
    return tuple(LocalTrack(one.mid, one.name) for one in request.tracks)


def to_wanted(request: pb.SubscribeTracksRequest) -> tuple[Wanted, ...]:
    """The tracks of a request. Raises InvalidArgument."""
    return tuple(
        Wanted(parse_uuid(one.participant_id, f"tracks[{index}].participant_id"), one.name)
        for index, one in enumerate(request.tracks)
    )


def from_published(negotiated: Negotiated) -> pb.PublishTracksResponse:
    """The answer of PublishTracks."""
    answer = pb.PublishTracksResponse(tracks=[_result(one, "") for one in negotiated.tracks])
    if negotiated.sdp is not None:
        answer.answer.CopyFrom(from_sdp(negotiated.sdp))
    return answer


def from_subscribed(negotiated: Negotiated, wanted: Iterable[Wanted]) -> pb.SubscribeTracksResponse:
    """The answer of SubscribeTracks; its results stand in the order of `wanted`."""
    pairs = zip(negotiated.tracks, wanted, strict=True)
    answer = pb.SubscribeTracksResponse(tracks=[_result(one, by.participant_id) for one, by in pairs])
    if negotiated.sdp is not None:
        answer.offer.CopyFrom(from_sdp(negotiated.sdp))
    return answer


def _result(one: TrackResult, participant_id: str) -> pb.TrackResult:
    error = _ERRORS.number(one.failure) if one.failure else pb.TRACK_ERROR_UNSPECIFIED
    return pb.TrackResult(name=one.name, mid=one.mid, participant_id=participant_id, error=error)
