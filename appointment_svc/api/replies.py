"""Results of the use cases as messages of the contract."""

from collections.abc import Iterable
from datetime import datetime
from typing import TypeVar

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from telemed.appointment.v1 import appointment_pb2
from telemed.appointment.v1 import appointment_service_pb2 as pb
from telemed.type.v1 import scheduling_pb2

from appointment_svc.api.requests import KINDS, STATUSES
from appointment_svc.app.booking import Booking
from appointment_svc.app.check_conflicts import Answer, Conflict, Question, Whose
from appointment_svc.domain.appointment import Appointment
from chassis.enum_map import EnumMap
from chassis.protos import to_timestamp
from kernel.errors import Refusal
from kernel.revision import token_of
from kernel.slots import AlternativeSlot, SlotPriority

_PRIORITIES = EnumMap(scheduling_pb2.SlotPriority.DESCRIPTOR, SlotPriority)
_WHOSE = EnumMap(pb.ConflictKind.DESCRIPTOR, Whose)
_MINUTE = 60


def appointment_message(a: Appointment) -> appointment_pb2.Appointment:
    """An appointment as the contract shows it."""
    return appointment_pb2.Appointment(
        id=a.id,
        patient_id=a.patient_id,
        doctor_id=a.doctor_id,
        status=STATUSES.number(a.status),
        appointment_type=KINDS.number(a.kind),
        start_time=to_timestamp(a.start),
        end_time=to_timestamp(a.end),
        duration_minutes=int((a.end - a.start).total_seconds()) // _MINUTE,
        buffer_minutes=int(a.buffer.total_seconds()) // _MINUTE,
        timezone=a.timezone,
        specialty_required=a.specialty_required,
        patient_notes=a.patient_notes,
        match_score=a.match_score,
        is_preferred_doctor=a.is_preferred_doctor,
        cancel_reason=a.cancel_reason,
        etag=a.etag,
        create_time=to_timestamp(a.create_time),
        update_time=to_timestamp(a.update_time),
        hold_expire_time=_when(a.hold_expire_time),
        match_policy_version=a.match_policy_version,
        rating=a.rating or 0,
        patient_arrival_time=_when(a.patient_arrival_time),
        doctor_arrival_time=_when(a.doctor_arrival_time),
        rating_comment=a.rating_comment,
    )


def _when(instant: datetime | None) -> Timestamp | None:
    return None if instant is None else to_timestamp(instant)


def alternative_message(a: AlternativeSlot) -> scheduling_pb2.AlternativeSlot:
    """An alternative as the contract shows it."""
    return scheduling_pb2.AlternativeSlot(
        doctor_id=a.doctor_id,
        doctor_first_name=a.doctor_first_name,
        doctor_last_name=a.doctor_last_name,
        start_time=to_timestamp(a.slot.start),
        end_time=to_timestamp(a.slot.end),
        duration_minutes=int((a.slot.end - a.slot.start).total_seconds()) // _MINUTE,
        appointment_type=KINDS.number(a.slot.kind),
        slot_priority=_PRIORITIES.number(a.slot.priority),
        match_score=a.match_score,
        has_patient_history=a.has_patient_history,
    )


def smart_book_reply(booking: Booking) -> bytes:
    """The answer of SmartBook, serialized."""
    return pb.SmartBookResponse(
        appointment=appointment_message(booking.appointment),
        doctor_match_score=booking.appointment.match_score,
        match_reasons=booking.reasons,
        is_preferred_doctor=booking.appointment.is_preferred_doctor,
        alternative_slots=[alternative_message(a) for a in booking.alternatives],
        revision=booking.revision,
    ).SerializeToString()


def book_reply(booking: Booking) -> bytes:
    """The answer of Book, serialized."""
    return _exact_reply(booking, pb.BookResponse)


def hold_reply(booking: Booking) -> bytes:
    """The answer of HoldSlot, serialized."""
    return _exact_reply(booking, pb.HoldSlotResponse)


def _exact_reply(booking: Booking, reply: type[pb.BookResponse] | type[pb.HoldSlotResponse]) -> bytes:
    return reply(
        appointment=appointment_message(booking.appointment),
        doctor_match_score=booking.appointment.match_score,
        match_reasons=booking.reasons,
        is_preferred_doctor=booking.appointment.is_preferred_doctor,
        revision=booking.revision,
    ).SerializeToString()


Changed = TypeVar(
    "Changed",
    pb.CancelAppointmentResponse,
    pb.RescheduleAppointmentResponse,
    pb.StartAppointmentResponse,
    pb.CompleteAppointmentResponse,
    pb.MarkNoShowResponse,
    pb.ConfirmHoldResponse,
    pb.ApproveAppointmentResponse,
    pb.RecordArrivalResponse,
    pb.RateVisitResponse,
)


def change_of_state(appointment: Appointment, reply: type[Changed]) -> bytes:
    """The answer of an RPC that moves an appointment to another state, serialized; they all look the same."""
    return reply(
        appointment=appointment_message(appointment),
        revision=token_of(appointment.id, appointment.version),
    ).SerializeToString()


def conflicts_reply(question: Question, answer: Answer) -> pb.CheckConflictsResponse:
    """The answer of CheckConflicts."""
    return pb.CheckConflictsResponse(
        has_conflict=bool(answer.conflicts),
        conflicting_appointments=[_conflict(conflict) for conflict in answer.conflicts],
        suggested_alternatives=[
            pb.SuggestedAlternative(
                start_time=to_timestamp(slot.start),
                end_time=to_timestamp(slot.end),
                doctor_id=question.doctor_id,
                appointment_type=KINDS.number(slot.kind),
            )
            for slot in answer.suggestions
        ],
    )


def _conflict(conflict: Conflict) -> pb.ConflictingAppointment:
    return pb.ConflictingAppointment(
        id=conflict.appointment_id or "",
        kind=_WHOSE.number(conflict.whose),
        start_time=to_timestamp(conflict.start),
        end_time=to_timestamp(conflict.end),
    )


def error_details(refusal: Refusal) -> Iterable[Message]:
    """What an error carries besides the standard details: the times that would work."""
    slots = [alternative_message(a) for a in refusal.alternatives if isinstance(a, AlternativeSlot)]
    if slots:
        yield scheduling_pb2.Alternatives(slots=slots)
