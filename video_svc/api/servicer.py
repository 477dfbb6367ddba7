"""The RPCs of telemed.video.v1.VideoService: convert, call the use case, convert."""

from telemed.video.v1 import video_service_pb2 as pb
from telemed.video.v1.video_service_pb2_grpc import VideoServiceServicer

from chassis.context import current_caller
from chassis.ids import parse_uuid
from chassis.server import Context
from video_svc.api.convert import from_admission, from_session, to_side
from video_svc.app.get_session import GetSession
from video_svc.app.start_session import StartSession
from video_svc.domain.session import JoinRules


class VideoServicer(VideoServiceServicer):
    """Translates; decides nothing."""

    def __init__(self, start_session: StartSession, get_session: GetSession, rules: JoinRules) -> None:
        self._start_session = start_session
        self._get_session = get_session
        self._rules = rules

    async def StartSession(self, request: pb.StartSessionRequest, context: Context) -> pb.StartSessionResponse:
        """Lets the caller into the visit of an appointment."""
        appointment_id, side = parse_uuid(request.appointment_id, "appointment_id"), to_side(request.participant_type)
        admission = await self._start_session(current_caller(), appointment_id, side)
        return from_admission(admission)

    async def GetSession(self, request: pb.GetSessionRequest, context: Context) -> pb.Session:
        """Tells one session."""
        session_id = parse_uuid(request.session_id, "session_id")
        session = await self._get_session(current_caller(), session_id)
        return from_session(session, self._rules)
