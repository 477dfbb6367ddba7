"""One request an RPC about the patient and doctor of a side: what the table of policies is tried with."""

from collections.abc import Callable
from datetime import date, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

from google.protobuf.message import Message
from google.type.date_pb2 import Date
from google.type.timeofday_pb2 import TimeOfDay
from telemed.appointment.v1 import appointment_pb2, history_pb2, statistics_pb2
from telemed.appointment.v1 import appointment_service_pb2 as appointments
from telemed.doctor.v1 import availability_pb2 as hours
from telemed.doctor.v1 import doctor_pb2, insights_pb2, profiles_pb2, search_pb2
from telemed.doctor.v1 import doctor_service_pb2 as doctors
from telemed.type.v1 import patient_data_pb2, scheduling_pb2
from telemed.video.v1 import media_pb2, presence_pb2, quality_pb2, signalling_pb2
from telemed.video.v1 import video_service_pb2 as video

from chassis.context import Role
from chassis.protos import from_date, to_timestamp
from tests.fix_doctors import NOON
from tests.fix_strangers import Side, Strangers

GENERAL = scheduling_pb2.APPOINTMENT_TYPE_GENERAL_CONSULTATION
# On a Monday, within the hours of all doctors.
_NINE = NOON.replace(hour=9) + timedelta(days=1)
_NEXT_DAYS = (date(2026, 3, 10) + timedelta(days=number % 60) for number in count())
_NINE_TO_TWELVE = {"morning_start_time": TimeOfDay(hours=9), "morning_end_time": TimeOfDay(hours=12)}

Build = Callable[[Side, Role], Message]


def _booking(kind: type[Message]) -> Build:
    def build(side: Side, _: Role) -> Message:
        return kind(
            patient_id=side.patient_id,
            doctor_id=side.doctor_id,
            appointment_date=to_timestamp(_NINE),
            appointment_type=GENERAL,
        )

    return build


def _of_appointment(kind: type[Message], **more: Any) -> Build:
    return lambda side, _: kind(id=side.appointment_id, **more)


def _of_doctor(kind: type[Message], **more: Any) -> Build:
    return lambda side, _: kind(doctor_id=side.doctor_id, **more)


def _of_session(kind: type[Message], **more: Any) -> Build:
    return lambda side, _: kind(session_id=side.session_id, **more)


def _of_participant(kind: type[Message]) -> Build:
    return lambda side, _: kind(session_id=side.session_id, participant_id=side.participant_id)


def _anybodys(request: Message) -> Build:
    return lambda _, __: request


def _start_session(side: Side, role: Role) -> Message:
    part = video.PARTICIPANT_TYPE_DOCTOR if role is Role.DOCTOR else video.PARTICIPANT_TYPE_PATIENT
    return video.StartSessionRequest(appointment_id=side.appointment_id, participant_type=part)


def _recommend(side: Side, role: Role) -> Message:
    # A doctor asks for recommendations for nobody in particular.
    asks_for_nobody = role is Role.DOCTOR and side.is_own
    return insights_pb2.RecommendDoctorsRequest(patient_id="" if asks_for_nobody else side.patient_id)


def _new_hours() -> doctor_pb2.AvailabilityRule:
    return doctor_pb2.AvailabilityRule(specific_date=from_date(next(_NEXT_DAYS)), **_NINE_TO_TWELVE)


def _new_override() -> hours.AvailabilityOverride:
    return hours.AvailabilityOverride(kind=hours.OVERRIDE_KIND_SICK, start_date=from_date(next(_NEXT_DAYS)))


_SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"
_OFFER = signalling_pb2.SessionDescription(type=signalling_pb2.SDP_TYPE_OFFER, sdp=_SDP)
_ANSWER = signalling_pb2.SessionDescription(type=signalling_pb2.SDP_TYPE_ANSWER, sdp=_SDP)
_CANDIDATE = signalling_pb2.SignalPayload(
    candidates=[signalling_pb2.IceCandidate(candidate="candidate:1", sdp_mid="0")]
)
_DAY = Date(year=2026, month=3, day=2)

BUILDERS: dict[str, Build] = {
    "SmartBook": lambda side, _: appointments.SmartBookRequest(
        patient_id=side.patient_id, appointment_type=GENERAL, preferred_date=_DAY, timezone="UTC"
    ),
    "Book": _booking(appointments.BookRequest),
    "HoldSlot": _booking(appointments.HoldSlotRequest),
    "ConfirmHold": _of_appointment(appointments.ConfirmHoldRequest),
    "GetAppointment": _of_appointment(appointments.GetAppointmentRequest),
    "ListAppointments": lambda side, _: appointments.ListAppointmentsRequest(patient_id=side.patient_id),
    "CancelAppointment": _of_appointment(appointments.CancelAppointmentRequest),
    "RescheduleAppointment": _of_appointment(
        appointments.RescheduleAppointmentRequest, start_time=to_timestamp(NOON + timedelta(days=2))
    ),
    "ApproveAppointment": _of_appointment(appointments.ApproveAppointmentRequest),
    "RecordArrival": _of_appointment(
        appointments.RecordArrivalRequest, participant=appointment_pb2.PARTICIPANT_PATIENT
    ),
    "RateVisit": _of_appointment(appointments.RateVisitRequest, rating=5),
    "StartAppointment": _of_appointment(appointments.StartAppointmentRequest),
    "CompleteAppointment": _of_appointment(appointments.CompleteAppointmentRequest),
    "MarkNoShow": _of_appointment(appointments.MarkNoShowRequest),
    "CheckConflicts": lambda side, _: appointments.CheckConflictsRequest(
        doctor_id=side.doctor_id,
        patient_id=side.patient_id,
        start_time=to_timestamp(_NINE),
        end_time=to_timestamp(_NINE + timedelta(minutes=30)),
    ),
    "ListEvents": _of_appointment(history_pb2.ListEventsRequest),
    "GetStats": lambda side, _: statistics_pb2.GetStatsRequest(patient_id=side.patient_id, doctor_id=side.doctor_id),
    "GetBookingAnalytics": _anybodys(statistics_pb2.GetBookingAnalyticsRequest()),
    "WatchChanges": lambda side, _: appointments.WatchChangesRequest(
        patient_id=side.patient_id, doctor_id=side.doctor_id
    ),
    "CreateDoctor": lambda _, __: doctors.CreateDoctorRequest(
        doctor=doctor_pb2.Doctor(first_name="New", last_name="Doctor", specialty="Urology", timezone="UTC")
    ),
    "GetDoctor": _of_doctor(doctors.GetDoctorRequest),
    "UpdateDoctor": lambda side, _: profiles_pb2.UpdateDoctorRequest(
        doctor=doctor_pb2.Doctor(doctor_id=side.doctor_id, bio=f"Changed {uuid4()}.")
    ),
    "DeactivateDoctor": _of_doctor(profiles_pb2.DeactivateDoctorRequest),
    "ActivateDoctor": _of_doctor(profiles_pb2.ActivateDoctorRequest),
    "VerifyDoctor": _of_doctor(doctors.VerifyDoctorRequest),
    "SearchDoctors": _anybodys(search_pb2.SearchDoctorsRequest()),
    "SetAvailability": lambda side, _: doctors.SetAvailabilityRequest(doctor_id=side.doctor_id, rule=_new_hours()),
    "ListAvailabilityRules": _of_doctor(hours.ListAvailabilityRulesRequest),
    "UpdateAvailability": lambda side, _: hours.UpdateAvailabilityRequest(
        doctor_id=side.doctor_id, rule_id=side.rule_id, rule=doctor_pb2.AvailabilityRule(duration_minutes=20)
    ),
    "DeleteAvailability": lambda side, _: hours.DeleteAvailabilityRequest(
        doctor_id=side.doctor_id, rule_id=side.rule_id
    ),
    "CreateOverride": lambda side, _: hours.CreateOverrideRequest(doctor_id=side.doctor_id, override=_new_override()),
    "ListOverrides": _of_doctor(hours.ListOverridesRequest),
    "DeleteOverride": lambda side, _: hours.DeleteOverrideRequest(
        doctor_id=side.doctor_id, override_id=side.override_id
    ),
    "GetAvailability": _of_doctor(doctors.GetAvailabilityRequest, date=_DAY),
    "ListSlots": _of_doctor(hours.ListSlotsRequest, from_date=_DAY, to_date=_DAY),
    "SearchAvailability": _anybodys(hours.SearchAvailabilityRequest(date=_DAY)),
    "PreviewAvailability": _anybodys(hours.PreviewAvailabilityRequest(from_date=_DAY)),
    "MatchDoctors": lambda side, _: doctors.MatchDoctorsRequest(
        patient_id=side.patient_id, doctor_id=side.doctor_id, appointment_type=GENERAL, preferred_date=_DAY
    ),
    "RecommendDoctors": _recommend,
    "GetDoctorStats": _of_doctor(insights_pb2.GetDoctorStatsRequest),
    "ListAvailabilitySummaries": _anybodys(insights_pb2.ListAvailabilitySummariesRequest()),
    "StartSession": _start_session,
    "CheckIn": _of_session(presence_pb2.CheckInRequest, camera=True),
    "Admit": _of_participant(presence_pb2.AdmitRequest),
    "Reject": _of_participant(presence_pb2.RejectRequest),
    "Remove": _of_participant(presence_pb2.RemoveRequest),
    "SendSignal": _of_session(
        signalling_pb2.SendSignalRequest, attempt=1, peer_attempt=1, number=1, payload=_CANDIDATE
    ),
    "WatchSession": _of_session(video.WatchSessionRequest),
    "CreateStreamTicket": _of_session(signalling_pb2.CreateStreamTicketRequest),
    "PublishTracks": _of_session(
        media_pb2.PublishTracksRequest, attempt=1, offer=_OFFER, tracks=[media_pb2.LocalTrack(mid="0", name="voice")]
    ),
    "SubscribeTracks": lambda side, _: media_pb2.SubscribeTracksRequest(
        session_id=side.session_id,
        attempt=1,
        tracks=[media_pb2.RemoteTrack(participant_id=side.participant_id, name="voice")],
    ),
    "AnswerOffer": _of_session(media_pb2.AnswerOfferRequest, attempt=1, answer=_ANSWER),
    "RefreshIce": _of_session(presence_pb2.RefreshIceRequest, attempt=1),
    "Heartbeat": _of_session(
        presence_pb2.HeartbeatRequest,
        attempt=1,
        number=1,
        connection_state=presence_pb2.CONNECTION_STATE_CONNECTING,
    ),
    "ReportQuality": _of_session(
        quality_pb2.ReportQualityRequest,
        attempt=1,
        samples=[quality_pb2.QualitySample(number=1, seconds=15, round_trip_ms=40)],
    ),
    "GetSessionStats": _of_session(quality_pb2.GetSessionStatsRequest),
    "LeaveSession": _of_session(presence_pb2.LeaveSessionRequest, attempt=1),
    "EndSession": _of_session(presence_pb2.EndSessionRequest),
    "GetSession": _of_session(video.GetSessionRequest),
    "ListSessions": lambda side, _: video.ListSessionsRequest(patient_id=side.patient_id),
    "ListAccesses": lambda side, _: patient_data_pb2.ListAccessesRequest(patient_id=side.patient_id),
    "ExportPatientData": lambda side, _: patient_data_pb2.ExportPatientDataRequest(patient_id=side.patient_id),
    "ErasePatientData": lambda side, _: patient_data_pb2.ErasePatientDataRequest(patient_id=side.patient_id),
}


async def prepare(method: str, strangers: Strangers, side: Side) -> None:
    """Makes what a call of the method may use up: hours and overrides, by an administrator."""
    admin, services = strangers.pair.admin(), strangers.pair.doctors
    if method in {"UpdateAvailability", "DeleteAvailability"}:
        wish = doctors.SetAvailabilityRequest(doctor_id=side.doctor_id, rule=_new_hours())
        side.rule_id = (await services.SetAvailability(wish, metadata=admin, timeout=30)).rule_id
    if method == "DeleteOverride":
        wish = hours.CreateOverrideRequest(doctor_id=side.doctor_id, override=_new_override())
        side.override_id = (await services.CreateOverride(wish, metadata=admin, timeout=30)).override.override_id
