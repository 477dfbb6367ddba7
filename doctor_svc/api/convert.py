"""Requests to what the use cases take, and what they answer to replies; decides nothing."""

from typing import Any

from telemed.doctor.v1 import doctor_service_pb2 as api
from telemed.type.v1 import scheduling_pb2

from chassis.enum_map import EnumMap
from chassis.ids import parse_uuid
from chassis.protos import timestamp_fields, to_date
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


# A slot is told as the fields of its message: protobuf makes a message from them where it belongs, while one that is
# ready would be copied there. Typed as Any, because the generated types know only of messages.
def from_slot(slot: Slot) -> Any:
    """The fields of a Slot, as everyone sees it."""
    return {
        "start_time": timestamp_fields(slot.start),
        "end_time": timestamp_fields(slot.end),
        "duration_minutes": minutes_of(slot.end - slot.start),
        "appointment_type": kind_number(slot.kind),
        "slot_priority": _PRIORITIES.number(slot.priority),
    }


def from_offered(slot: Slot) -> Any:
    """The fields of an OfferedSlot: a slot with what the ledger must know to book it."""
    return {
        "slot": from_slot(slot),
        "buffer_minutes": minutes_of(slot.buffer),
        "max_concurrent_appointments": slot.capacity,
    }
