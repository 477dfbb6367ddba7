"""Between signals and events and their messages."""

from datetime import datetime

from telemed.video.v1 import signalling_pb2 as pb
from telemed.video.v1 import video_service_pb2

from chassis.enum_map import EnumMap
from kernel.errors import InvalidArgument
from video_svc.api.convert import from_session
from video_svc.app.ports import NumberedSignal
from video_svc.app.send_signal import Message
from video_svc.app.watch_session import Event
from video_svc.domain.media import Sdp, SdpKind
from video_svc.domain.session import JoinRules
from video_svc.domain.signals import Candidate, Payload

_SDP_TYPES = EnumMap(pb.SdpType.DESCRIPTOR, SdpKind)


def to_message(request: pb.SendSignalRequest) -> Message:
    """The signal of a request. Raises InvalidArgument."""
    if not request.HasField("payload"):
        raise InvalidArgument.of("payload", "is required: a description, candidates, or end_of_candidates")
    return Message(request.attempt, request.peer_attempt, request.number, _to_payload(request.payload))


def to_sdp(message: pb.SessionDescription, field: str) -> Sdp:
    """A description. Raises InvalidArgument for the type of the field."""
    return Sdp(_SDP_TYPES.required(message.type, f"{field}.type"), message.sdp)


def from_sdp(sdp: Sdp) -> pb.SessionDescription:
    """A description as its message."""
    return pb.SessionDescription(type=_SDP_TYPES.number(sdp.kind), sdp=sdp.text)


def from_event(event: Event, rules: JoinRules, now: datetime) -> video_service_pb2.WatchSessionResponse:
    """An event of a session's stream."""
    answer = video_service_pb2.WatchSessionResponse(seq=event.seq)
    if isinstance(event.what, NumberedSignal):
        answer.signal.CopyFrom(_from_signal(event.what))
    else:
        answer.session.CopyFrom(from_session(event.what, rules, now))
    return answer


def _to_payload(message: pb.SignalPayload) -> Payload:
    description = None
    if message.HasField("description"):
        description = to_sdp(message.description, "payload.description")
    candidates = tuple(
        Candidate(
            one.candidate,
            one.sdp_mid,
            one.sdp_m_line_index if one.HasField("sdp_m_line_index") else None,
            one.username_fragment,
        )
        for one in message.candidates
    )
    return Payload(description, candidates, message.end_of_candidates)


def _from_signal(heard: NumberedSignal) -> pb.Signal:
    signal = heard.signal
    return pb.Signal(
        participant_id=heard.participant_id,
        attempt=signal.attempt,
        number=signal.number,
        peer_attempt=signal.receiver_attempt,
        payload=_from_payload(signal.payload),
    )


def _from_payload(payload: Payload) -> pb.SignalPayload:
    return pb.SignalPayload(
        description=from_sdp(payload.description) if payload.description else None,
        candidates=[
            pb.IceCandidate(
                candidate=one.candidate,
                sdp_mid=one.mid,
                sdp_m_line_index=one.line_index,
                username_fragment=one.ufrag,
            )
            for one in payload.candidates
        ],
        end_of_candidates=payload.end_of_candidates,
    )
