"""Between sessions, participants and admissions and their messages."""

from datetime import datetime

from telemed.video.v1 import presence_pb2, quality_pb2
from telemed.video.v1 import video_service_pb2 as pb

from chassis.enum_map import EnumMap
from chassis.protos import to_timestamp
from video_svc.app.heartbeat import ConnectionState
from video_svc.app.start_session import Admission
from video_svc.domain.media import IceServer, IceServers, Topology
from video_svc.domain.participant import Participant
from video_svc.domain.participant_states import ParticipantState
from video_svc.domain.quality import Issue
from video_svc.domain.session import JoinRules, Session
from video_svc.domain.session_states import UNDER_WAY, EndReason, SessionState
from video_svc.domain.visit import ParticipantType

_SIDES = EnumMap(pb.ParticipantType.DESCRIPTOR, ParticipantType)
_STATES = EnumMap(pb.SessionState.DESCRIPTOR, SessionState)
_END_REASONS = EnumMap(pb.EndReason.DESCRIPTOR, EndReason)
_TOPOLOGIES = EnumMap(pb.Topology.DESCRIPTOR, Topology)
_PARTICIPANT_STATES = EnumMap(presence_pb2.ParticipantState.DESCRIPTOR, ParticipantState)
_ISSUES = EnumMap(quality_pb2.ConnectionIssue.DESCRIPTOR, Issue)
_CONNECTION_STATES = EnumMap(presence_pb2.ConnectionState.DESCRIPTOR, ConnectionState)


def to_side(value: int) -> ParticipantType:
    """The side that a request names. Raises InvalidArgument for participant_type."""
    return _SIDES.required(value, "participant_type")


def to_connection_state(value: int) -> ConnectionState:
    """How a connection stands. Raises InvalidArgument for connection_state."""
    return _CONNECTION_STATES.required(value, "connection_state")


def from_admission(admission: Admission) -> pb.StartSessionResponse:
    """The answer of StartSession."""
    there, connection = admission.participant, admission.connection
    answer = pb.StartSessionResponse(
        session_id=admission.session_id,
        cloudflare_session_id=connection.provider_session_id,
        join_url=admission.join_url,
        join_token=admission.token.text,
        join_token_expire_time=to_timestamp(admission.token.expires),
        participant_id=there.participant_id,
        participant_state=_PARTICIPANT_STATES.number(there.state),
        attempt=there.attempt if there.is_in_call else 0,
        topology=_TOPOLOGIES.number(connection.topology),
        # Fixed by role, so that both browsers settle a clash of offers alike.
        polite=there.side is ParticipantType.PATIENT,
    )
    put_ice(answer, connection.ice)
    return answer


def put_ice(answer: pb.StartSessionResponse | pb.RefreshIceResponse, ice: IceServers) -> None:
    """Writes ICE servers into an answer."""
    answer.ice_servers.extend(_ice_server(server) for server in ice.servers)
    if ice.expires is not None:
        answer.ice_expire_time.CopyFrom(to_timestamp(ice.expires))


def from_heartbeat(there: Participant, state: SessionState) -> pb.HeartbeatResponse:
    """The answer of Heartbeat."""
    return pb.HeartbeatResponse(
        participant_state=_PARTICIPANT_STATES.number(there.state), session_state=_STATES.number(state)
    )


def from_session(session: Session, rules: JoinRules, now: datetime) -> pb.Session:
    """A session as it stands at `now`."""
    window, life = rules.window_of(session.visit), session.life
    answer = pb.Session(
        session_id=session.session_id,
        appointment_id=session.visit.appointment_id,
        state=_STATES.number(session.state(rules, now)),
        start_time=to_timestamp(session.visit.start),
        end_time=to_timestamp(session.visit.end),
        join_open_time=to_timestamp(window.open),
        join_close_time=to_timestamp(window.close),
        participants=[_participant(one) for one in session.present()],
    )
    if life.began is not None:
        answer.actual_start_time.CopyFrom(to_timestamp(life.began))
        if life.state in UNDER_WAY:
            answer.latest_end_time.CopyFrom(to_timestamp(life.began + rules.lasts_at_most))
    if life.state is SessionState.ENDED and life.changed is not None:
        answer.actual_end_time.CopyFrom(to_timestamp(life.changed))
    answer.quality_rating = session.rating or 0
    answer.connection_issues.extend(_ISSUES.number(issue) for issue in session.issues)
    if life.end_reason is not None:
        answer.end_reason = _END_REASONS.number(life.end_reason)
    return answer


def _participant(one: Participant) -> pb.Participant:
    answer = pb.Participant(
        participant_type=_SIDES.number(one.side),
        join_time=to_timestamp(one.joined),
        participant_id=one.participant_id,
        state=_PARTICIPANT_STATES.number(one.state),
        state_time=to_timestamp(one.changed),
        last_seen_time=to_timestamp(one.seen),
        attempt=one.attempt,
        # Before that the provider would not find them: its connection has to stand first.
        track_names=one.tracks if one.state is ParticipantState.CONNECTED else (),
    )
    if one.devices is not None:
        answer.device_check.CopyFrom(
            presence_pb2.DeviceCheck(
                camera=one.devices.camera, microphone=one.devices.microphone, network=one.devices.network
            )
        )
    return answer


def _ice_server(server: IceServer) -> pb.IceServer:
    return pb.IceServer(urls=server.urls, username=server.username, credential=server.credential)
