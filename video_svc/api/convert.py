"""Between the messages of telemed.video.v1 and the domain."""

from telemed.video.v1 import video_service_pb2 as pb

from chassis.enum_map import EnumMap
from chassis.protos import to_timestamp
from video_svc.app.start_session import Admission
from video_svc.domain.media import IceServer
from video_svc.domain.session import Arrival, JoinRules, Session
from video_svc.domain.states import SessionState
from video_svc.domain.visit import ParticipantType

_SIDES = EnumMap(pb.ParticipantType.DESCRIPTOR, ParticipantType)
_STATES = EnumMap(pb.SessionState.DESCRIPTOR, SessionState)


def to_side(value: int) -> ParticipantType:
    """The side that a request names. Raises InvalidArgument for participant_type."""
    return _SIDES.required(value, "participant_type")


def from_admission(admission: Admission) -> pb.StartSessionResponse:
    """The answer of StartSession."""
    return pb.StartSessionResponse(
        session_id=admission.session_id,
        cloudflare_session_id=admission.provider_session_id,
        join_url=admission.join_url,
        ice_servers=[_ice_server(server) for server in admission.ice_servers],
        join_token=admission.token.text,
        join_token_expire_time=to_timestamp(admission.token.expires),
    )


def from_session(session: Session, rules: JoinRules) -> pb.Session:
    """The answer of GetSession."""
    window = rules.window_of(session.visit)
    return pb.Session(
        session_id=session.session_id,
        appointment_id=session.visit.appointment_id,
        state=_STATES.number(session.state(rules)),
        start_time=to_timestamp(session.visit.start),
        end_time=to_timestamp(session.visit.end),
        join_open_time=to_timestamp(window.open),
        join_close_time=to_timestamp(window.close),
        participants=[_participant(arrival) for arrival in session.present(rules)],
    )


def _participant(arrival: Arrival) -> pb.Participant:
    return pb.Participant(participant_type=_SIDES.number(arrival.side), join_time=to_timestamp(arrival.time))


def _ice_server(server: IceServer) -> pb.IceServer:
    return pb.IceServer(urls=server.urls, username=server.username, credential=server.credential)
