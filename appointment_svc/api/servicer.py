"""AppointmentService: each RPC is a request read, a use case called, a reply written."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import grpc
from telemed.appointment.v1 import appointment_pb2, history_pb2, statistics_pb2
from telemed.appointment.v1 import appointment_service_pb2 as pb
from telemed.appointment.v1.appointment_service_pb2_grpc import AppointmentServiceServicer

from appointment_svc.api import changes, history, replies, requests, statistics
from appointment_svc.app.approve_appointment import ApproveAppointment
from appointment_svc.app.book import Book
from appointment_svc.app.book_overriding import BookOverriding
from appointment_svc.app.booking import BookingCall
from appointment_svc.app.cancel_appointment import CancelAppointment
from appointment_svc.app.check_conflicts import CheckConflicts
from appointment_svc.app.complete_appointment import CompleteAppointment
from appointment_svc.app.confirm_hold import ConfirmHold
from appointment_svc.app.get_appointment import GetAppointment
from appointment_svc.app.get_booking_analytics import GetBookingAnalytics
from appointment_svc.app.get_stats import GetStats
from appointment_svc.app.hold_slot import HoldSlot
from appointment_svc.app.list_appointments import ListAppointments
from appointment_svc.app.list_events import ListEvents
from appointment_svc.app.mark_no_show import MarkNoShow
from appointment_svc.app.ports import ChangeOrder, Method
from appointment_svc.app.rate_visit import RateVisit
from appointment_svc.app.record_arrival import RecordArrival
from appointment_svc.app.reschedule_appointment import Move, RescheduleAppointment
from appointment_svc.app.reschedule_overriding import RescheduleOverriding
from appointment_svc.app.smart_book import SmartBook
from appointment_svc.app.start_appointment import StartAppointment
from appointment_svc.app.watch_changes import WatchChanges
from appointment_svc.domain.overriding import FOR_BOOKING, FOR_CANCELLING, FOR_MOVING
from chassis.context import current_caller
from chassis.ids import parse_uuid
from chassis.patient_data_rpcs import PatientData, PatientDataRpcs
from chassis.protos import to_instant
from kernel.revision import parse_revision

Context = grpc.aio.ServicerContext[Any, Any]


@dataclass(frozen=True, slots=True)
class UseCases:
    """Everything that the service can do."""

    smart_book: SmartBook
    book: Book
    book_overriding: BookOverriding
    hold_slot: HoldSlot
    confirm_hold: ConfirmHold
    get_appointment: GetAppointment
    list_appointments: ListAppointments
    cancel_appointment: CancelAppointment
    reschedule_appointment: RescheduleAppointment
    reschedule_overriding: RescheduleOverriding
    approve_appointment: ApproveAppointment
    record_arrival: RecordArrival
    rate_visit: RateVisit
    start_appointment: StartAppointment
    complete_appointment: CompleteAppointment
    mark_no_show: MarkNoShow
    check_conflicts: CheckConflicts
    list_events: ListEvents
    get_stats: GetStats
    get_booking_analytics: GetBookingAnalytics
    watch_changes: WatchChanges


class AppointmentServicer(PatientDataRpcs, AppointmentServiceServicer):
    """Translates; decides nothing."""

    def __init__(self, app: UseCases, patient_data: PatientData) -> None:
        self._app = app
        self._patient_data = patient_data

    async def SmartBook(self, request: pb.SmartBookRequest, context: Context) -> pb.SmartBookResponse:
        wish = requests.smart_wish(request)
        call = BookingCall(current_caller(), Method.SMART, requests.request_key(request), replies.smart_book_reply)
        return pb.SmartBookResponse.FromString(await self._app.smart_book(call, wish))

    async def Book(self, request: pb.BookRequest, context: Context) -> pb.BookResponse:
        wish = requests.exact_wish(request)
        call = BookingCall(current_caller(), Method.MANUAL, requests.request_key(request), replies.book_reply)
        override = requests.override_of(request, FOR_BOOKING)
        if override is None:
            return pb.BookResponse.FromString(await self._app.book(call, wish))
        return pb.BookResponse.FromString(await self._app.book_overriding(call, wish, override))

    async def HoldSlot(self, request: pb.HoldSlotRequest, context: Context) -> pb.HoldSlotResponse:
        wish = requests.exact_wish(request)
        call = BookingCall(current_caller(), Method.HOLD, requests.request_key(request), replies.hold_reply)
        return pb.HoldSlotResponse.FromString(await self._app.hold_slot(call, wish))

    async def ConfirmHold(self, request: pb.ConfirmHoldRequest, context: Context) -> pb.ConfirmHoldResponse:
        order = _order(request, "ConfirmHold", pb.ConfirmHoldResponse)
        return pb.ConfirmHoldResponse.FromString(await self._app.confirm_hold(order, request.etag))

    async def GetAppointment(self, request: pb.GetAppointmentRequest, context: Context) -> appointment_pb2.Appointment:
        appointment_id = parse_uuid(request.id, "id")
        return replies.appointment_message(await self._app.get_appointment(current_caller(), appointment_id))

    async def ListAppointments(
        self, request: pb.ListAppointmentsRequest, context: Context
    ) -> pb.ListAppointmentsResponse:
        wanted, after = requests.list_filter(request), requests.page_position(request.page_token)
        page = await self._app.list_appointments(current_caller(), wanted, after, request.page_size)
        return pb.ListAppointmentsResponse(
            appointments=[replies.appointment_message(a) for a in page.appointments],
            next_page_token=requests.page_token_of(page.next),
        )

    async def CancelAppointment(
        self, request: pb.CancelAppointmentRequest, context: Context
    ) -> pb.CancelAppointmentResponse:
        order = _order(request, "CancelAppointment", pb.CancelAppointmentResponse)
        override = requests.override_of(request, FOR_CANCELLING)
        answer = await self._app.cancel_appointment(order, request.etag, request.reason, override)
        return pb.CancelAppointmentResponse.FromString(answer)

    async def RescheduleAppointment(
        self, request: pb.RescheduleAppointmentRequest, context: Context
    ) -> pb.RescheduleAppointmentResponse:
        order = _order(request, "RescheduleAppointment", pb.RescheduleAppointmentResponse)
        move = Move(to_instant(request, "start_time"), request.duration_minutes, request.etag)
        override = requests.override_of(request, FOR_MOVING)
        if override is None:
            return pb.RescheduleAppointmentResponse.FromString(await self._app.reschedule_appointment(order, move))
        answer = await self._app.reschedule_overriding(order, move, override)
        return pb.RescheduleAppointmentResponse.FromString(answer)

    async def ApproveAppointment(
        self, request: pb.ApproveAppointmentRequest, context: Context
    ) -> pb.ApproveAppointmentResponse:
        order = _order(request, "ApproveAppointment", pb.ApproveAppointmentResponse)
        return pb.ApproveAppointmentResponse.FromString(await self._app.approve_appointment(order, request.etag))

    async def RecordArrival(self, request: pb.RecordArrivalRequest, context: Context) -> pb.RecordArrivalResponse:
        who = requests.PARTICIPANTS.required(request.participant, "participant")
        order = _order(request, "RecordArrival", pb.RecordArrivalResponse)
        return pb.RecordArrivalResponse.FromString(await self._app.record_arrival(order, who))

    async def RateVisit(self, request: pb.RateVisitRequest, context: Context) -> pb.RateVisitResponse:
        order = _order(request, "RateVisit", pb.RateVisitResponse)
        return pb.RateVisitResponse.FromString(await self._app.rate_visit(order, request.rating, request.comment))

    async def StartAppointment(
        self, request: pb.StartAppointmentRequest, context: Context
    ) -> pb.StartAppointmentResponse:
        order = _order(request, "StartAppointment", pb.StartAppointmentResponse)
        return pb.StartAppointmentResponse.FromString(await self._app.start_appointment(order, request.etag))

    async def CompleteAppointment(
        self, request: pb.CompleteAppointmentRequest, context: Context
    ) -> pb.CompleteAppointmentResponse:
        order = _order(request, "CompleteAppointment", pb.CompleteAppointmentResponse)
        return pb.CompleteAppointmentResponse.FromString(await self._app.complete_appointment(order, request.etag))

    async def MarkNoShow(self, request: pb.MarkNoShowRequest, context: Context) -> pb.MarkNoShowResponse:
        order = _order(request, "MarkNoShow", pb.MarkNoShowResponse)
        return pb.MarkNoShowResponse.FromString(await self._app.mark_no_show(order, request.etag))

    async def CheckConflicts(self, request: pb.CheckConflictsRequest, context: Context) -> pb.CheckConflictsResponse:
        question = requests.question_of(request)
        return replies.conflicts_reply(question, await self._app.check_conflicts(current_caller(), question))

    async def ListEvents(
        self, request: history_pb2.ListEventsRequest, context: Context
    ) -> history_pb2.ListEventsResponse:
        after, appointment_id = history.to_event_number(request.page_token), parse_uuid(request.id, "id")
        page = await self._app.list_events(current_caller(), appointment_id, after, request.page_size)
        return history.from_event_page(page)

    async def GetStats(
        self, request: statistics_pb2.GetStatsRequest, context: Context
    ) -> statistics_pb2.GetStatsResponse:
        wanted = statistics.to_stats_filter(request)
        return statistics.from_stats(await self._app.get_stats(current_caller(), wanted))

    async def GetBookingAnalytics(
        self, request: statistics_pb2.GetBookingAnalyticsRequest, context: Context
    ) -> statistics_pb2.GetBookingAnalyticsResponse:
        first, last, zone = statistics.to_days(request)
        return statistics.from_analytics(await self._app.get_booking_analytics(first, last, zone), zone)

    async def WatchChanges(
        self, request: pb.WatchChangesRequest, context: Context
    ) -> AsyncIterator[pb.WatchChangesResponse]:
        after, reader = parse_revision(request.after_revision, "after_revision"), changes.to_reader(request)
        most_at_once = changes.to_most_at_once(request)
        async for page in self._app.watch_changes(current_caller(), reader, after):
            for message in changes.from_page(page, most_at_once):
                yield message


def _order(request: requests.Change, method: str, reply: type[replies.Changed]) -> ChangeOrder:
    return ChangeOrder(
        caller=current_caller(),
        method=method,
        appointment_id=parse_uuid(request.id, "id"),
        key=requests.request_key(request),
        answer=lambda appointment: replies.change_of_state(appointment, reply),
    )
