"""Requests to what the use cases take, and what they answer to replies; decides nothing."""

from telemed.doctor.v1 import doctor_pb2
from telemed.doctor.v1 import doctor_service_pb2 as api
from telemed.type.v1 import scheduling_pb2

from chassis.enum_map import EnumMap
from chassis.ids import parse_uuid
from chassis.protos import (
    to_date,
    to_timestamp,
)
from doctor_svc.api.fields import (
    kind_number,
    minutes_of,
    optional_duration,
    optional_kind,
)
from doctor_svc.app.get_availability import DayAnswer, DayQuestion
from kernel.slots import Slot, SlotPriority

_PRIORITIES = EnumMap(scheduling_pb2.SlotPriority.DESCRIPTOR, SlotPriority)


def to_day_question(request: api.GetAvailabilityRequest) -> DayQuestion:
    """Which day of which doctor."""
    return DayQuestion(
        doctor_id=parse_uuid(request.doctor_id, "doctor_id"),
        day=to_date(request, "date"),
        kind=optional_kind(request.appointment_type, "appointment_type"),
        duration=optional_duration(request.duration_minutes),
        at_least_revision=request.at_least_revision,
    )


def from_day_answer(answer: DayAnswer) -> api.GetAvailabilityResponse:
    """The free slots of one day."""
    return api.GetAvailabilityResponse(
        doctor_id=answer.profile.doctor_id,
        doctor_first_name=answer.profile.first_name,
        doctor_last_name=answer.profile.last_name,
        specialty=answer.profile.specialty,
        timezone=answer.profile.timezone,
        morning_slots=map(from_slot, answer.morning),
        afternoon_slots=map(from_slot, answer.afternoon),
    )


def from_slot(slot: Slot) -> scheduling_pb2.Slot:
    """A slot as everyone sees it."""
    return scheduling_pb2.Slot(
        start_time=to_timestamp(slot.start),
        end_time=to_timestamp(slot.end),
        duration_minutes=minutes_of(slot.end - slot.start),
        appointment_type=kind_number(slot.kind),
        slot_priority=_PRIORITIES.number(slot.priority),
    )


def from_offered(slot: Slot) -> doctor_pb2.OfferedSlot:
    """A slot with what the ledger must know to book it."""
    return doctor_pb2.OfferedSlot(
        slot=from_slot(slot), buffer_minutes=minutes_of(slot.buffer), max_concurrent_appointments=slot.capacity
    )
