"""The RPCs of telemed.video.v1.VideoService: convert, call the use case, convert."""

from collections.abc import AsyncIterator

from telemed.video.v1 import media_pb2, presence_pb2, quality_pb2, signalling_pb2
from telemed.video.v1 import video_service_pb2 as pb
from telemed.video.v1.video_service_pb2_grpc import VideoServiceServicer

from chassis.clock import Clock
from chassis.context import current_caller
from chassis.ids import parse_uuid
from chassis.layers import Context
from chassis.patient_data_rpcs import PatientData, PatientDataRpcs
from chassis.protos import to_timestamp
from video_svc.api.convert import from_admission, from_heartbeat, from_session, put_ice, to_connection_state, to_side
from video_svc.api.lists import from_page, to_question
from video_svc.api.media import (
    from_published,
    from_subscribed,
    to_answer,
    to_local_tracks,
    to_offer,
    to_place,
    to_wanted,
)
from video_svc.api.quality import from_stats, to_samples
from video_svc.api.signalling import from_event, to_message
from video_svc.app.heartbeat import Report
from video_svc.app.use_cases import UseCases
from video_svc.domain.participant import DeviceCheck
from video_svc.domain.session import JoinRules, Session

_LONGEST_REQUEST_ID = 255


class VideoServicer(PatientDataRpcs, VideoServiceServicer):
    """Translates; decides nothing."""

    def __init__(self, use_cases: UseCases, patient_data: PatientData, rules: JoinRules, clock: Clock) -> None:
        self._do = use_cases
        self._patient_data = patient_data
        self._rules = rules
        self._clock = clock

    def _answer(self, session: Session) -> pb.Session:
        return from_session(session, self._rules, self._clock())

    async def StartSession(self, request: pb.StartSessionRequest, context: Context) -> pb.StartSessionResponse:
        appointment_id, side = parse_uuid(request.appointment_id, "appointment_id"), to_side(request.participant_type)
        request_id = request.request_id[:_LONGEST_REQUEST_ID]
        return from_admission(await self._do.start_session(current_caller(), appointment_id, side, request_id))

    async def CheckIn(self, request: presence_pb2.CheckInRequest, context: Context) -> pb.Session:
        devices = DeviceCheck(request.camera, request.microphone, request.network)
        return self._answer(await self._do.check_in(current_caller(), _session_id(request.session_id), devices))

    async def Admit(self, request: presence_pb2.AdmitRequest, context: Context) -> pb.Session:
        session_id, whom = _session_id(request.session_id), parse_uuid(request.participant_id, "participant_id")
        return self._answer(await self._do.admit(current_caller(), session_id, whom))

    async def Reject(self, request: presence_pb2.RejectRequest, context: Context) -> pb.Session:
        session_id, whom = _session_id(request.session_id), parse_uuid(request.participant_id, "participant_id")
        return self._answer(await self._do.reject(current_caller(), session_id, whom))

    async def Remove(self, request: presence_pb2.RemoveRequest, context: Context) -> pb.Session:
        session_id, whom = _session_id(request.session_id), parse_uuid(request.participant_id, "participant_id")
        return self._answer(await self._do.remove(current_caller(), session_id, whom))

    async def SendSignal(
        self, request: signalling_pb2.SendSignalRequest, context: Context
    ) -> signalling_pb2.SendSignalResponse:
        session_id, message = _session_id(request.session_id), to_message(request)
        following = await self._do.send_signal(current_caller(), session_id, message)
        return signalling_pb2.SendSignalResponse(next_number=following)

    async def WatchSession(
        self, request: pb.WatchSessionRequest, context: Context
    ) -> AsyncIterator[pb.WatchSessionResponse]:
        session_id = _session_id(request.session_id)
        async for event in self._do.watch_session(current_caller(), session_id, request.after_seq):
            yield from_event(event, self._rules, self._clock())

    async def CreateStreamTicket(
        self, request: signalling_pb2.CreateStreamTicketRequest, context: Context
    ) -> signalling_pb2.CreateStreamTicketResponse:
        ticket, expires = await self._do.create_stream_ticket(current_caller(), _session_id(request.session_id))
        return signalling_pb2.CreateStreamTicketResponse(ticket=ticket, expire_time=to_timestamp(expires))

    async def PublishTracks(
        self, request: media_pb2.PublishTracksRequest, context: Context
    ) -> media_pb2.PublishTracksResponse:
        offer, tracks = to_offer(request), to_local_tracks(request)
        return from_published(await self._do.publish_tracks(current_caller(), to_place(request), offer, tracks))

    async def SubscribeTracks(
        self, request: media_pb2.SubscribeTracksRequest, context: Context
    ) -> media_pb2.SubscribeTracksResponse:
        wanted = to_wanted(request)
        return from_subscribed(await self._do.subscribe_tracks(current_caller(), to_place(request), wanted), wanted)

    async def AnswerOffer(
        self, request: media_pb2.AnswerOfferRequest, context: Context
    ) -> media_pb2.AnswerOfferResponse:
        await self._do.answer_offer(current_caller(), to_place(request), to_answer(request))
        return media_pb2.AnswerOfferResponse()

    async def RefreshIce(self, request: presence_pb2.RefreshIceRequest, context: Context) -> pb.RefreshIceResponse:
        answer = pb.RefreshIceResponse()
        put_ice(answer, await self._do.refresh_ice(current_caller(), _session_id(request.session_id), request.attempt))
        return answer

    async def Heartbeat(self, request: presence_pb2.HeartbeatRequest, context: Context) -> pb.HeartbeatResponse:
        report = Report(request.attempt, request.number, to_connection_state(request.connection_state))
        there, state = await self._do.heartbeat(current_caller(), _session_id(request.session_id), report)
        return from_heartbeat(there, state)

    async def ReportQuality(
        self, request: quality_pb2.ReportQualityRequest, context: Context
    ) -> quality_pb2.ReportQualityResponse:
        session_id, samples = _session_id(request.session_id), to_samples(request)
        score = await self._do.report_quality(current_caller(), session_id, request.attempt, samples)
        return quality_pb2.ReportQualityResponse(mean_opinion_score=score)

    async def GetSessionStats(self, request: quality_pb2.GetSessionStatsRequest, context: Context) -> pb.SessionStats:
        stats = await self._do.get_session_stats(current_caller(), _session_id(request.session_id))
        return from_stats(stats, self._rules, self._clock())

    async def LeaveSession(self, request: presence_pb2.LeaveSessionRequest, context: Context) -> pb.Session:
        session_id = _session_id(request.session_id)
        return self._answer(await self._do.leave_session(current_caller(), session_id, request.attempt))

    async def EndSession(self, request: presence_pb2.EndSessionRequest, context: Context) -> pb.Session:
        return self._answer(await self._do.end_session(current_caller(), _session_id(request.session_id)))

    async def GetSession(self, request: pb.GetSessionRequest, context: Context) -> pb.Session:
        return self._answer(await self._do.get_session(current_caller(), _session_id(request.session_id)))

    async def ListSessions(self, request: pb.ListSessionsRequest, context: Context) -> pb.ListSessionsResponse:
        page = await self._do.list_sessions(current_caller(), to_question(request))
        return from_page(page, self._rules, self._clock())


def _session_id(text: str) -> str:
    return parse_uuid(text, "session_id")
