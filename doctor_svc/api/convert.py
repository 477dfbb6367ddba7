"""Requests to what the use cases take, and what they answer to replies; decides nothing."""

from collections.abc import Iterable

from telemed.doctor.v1 import doctor_pb2
from telemed.doctor.v1 import doctor_service_pb2 as api
from telemed.type.v1 import scheduling_pb2

from chassis.ids import parse_optional_uuid, parse_uuid
from chassis.protos import (
    is_midnight_end,
    to_date,
    to_optional_date,
    to_optional_instant,
    to_optional_wall,
    to_timestamp,
)
from doctor_svc.api.fields import (
    kind_number,
    minutes_of,
    optional_duration,
    optional_kind,
    required_kind,
    specialty_wish,
)
from doctor_svc.app.get_availability import DayAnswer, DayQuestion
from doctor_svc.app.match_doctors import MatchQuestion
from doctor_svc.domain.proposals import Proposal
from doctor_svc.domain.slots import Visit
from kernel.appointment_types import default_duration
from kernel.civil_time import zone_named
from kernel.errors import InvalidArgument
from kernel.slots import Slot

_MOST_MATCHES = 50
_USUAL_MATCHES = 10


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


def to_match_question(request: api.MatchDoctorsRequest) -> MatchQuestion:
    """The wish of a patient."""
    kind = required_kind(request.appointment_type, "appointment_type")
    if not 0 <= request.max_results <= _MOST_MATCHES:
        raise InvalidArgument.of("max_results", f"must be 1 to {_MOST_MATCHES}, or 0 for {_USUAL_MATCHES}")
    until_midnight = is_midnight_end(request, "preferred_time_end")
    history = request.allow_history_prioritization if request.HasField("allow_history_prioritization") else True
    return MatchQuestion(
        patient_id=parse_optional_uuid(request.patient_id, "patient_id"),
        visit=Visit(kind, optional_duration(request.duration_minutes) or default_duration(kind)),
        zone=zone_named(request.timezone),
        day=to_optional_date(request, "preferred_date"),
        earliest=to_optional_wall(request, "preferred_time_start"),
        latest=None if until_midnight else to_optional_wall(request, "preferred_time_end"),
        start=to_optional_instant(request, "start_time"),
        specialty=specialty_wish(request.specialty_required),
        allow_history=history,
        doctor_id=parse_optional_uuid(request.doctor_id, "doctor_id"),
        limit=request.max_results or _USUAL_MATCHES,
        at_least_revision=request.at_least_revision,
    )


def from_proposals(proposals: Iterable[Proposal]) -> api.MatchDoctorsResponse:
    """The doctors who fit, the best first."""
    return api.MatchDoctorsResponse(matches=map(_from_proposal, proposals))


def from_slot(slot: Slot) -> scheduling_pb2.Slot:
    """A slot as everyone sees it."""
    return scheduling_pb2.Slot(
        start_time=to_timestamp(slot.start),
        end_time=to_timestamp(slot.end),
        duration_minutes=minutes_of(slot.end - slot.start),
        appointment_type=kind_number(slot.kind),
        slot_priority=scheduling_pb2.SlotPriority.Value(f"SLOT_PRIORITY_{slot.priority.name}"),
    )


def _from_proposal(proposal: Proposal) -> doctor_pb2.DoctorMatch:
    doctor, profile = proposal.ranked, proposal.ranked.candidate.profile
    return doctor_pb2.DoctorMatch(
        doctor_id=profile.doctor_id,
        doctor_first_name=profile.first_name,
        doctor_last_name=profile.last_name,
        specialty=profile.specialty,
        timezone=profile.timezone,
        match_score=doctor.score,
        components=doctor_pb2.MatchComponents(
            continuity=doctor.components.continuity,
            specialty=doctor.components.specialty,
            availability=doctor.components.availability,
            quality=doctor.components.quality,
        ),
        match_reasons=doctor.reasons,
        is_preferred_doctor=doctor.is_preferred,
        previous_visits=doctor.candidate.previous_visits,
        slots=map(_from_offered, proposal.slots),
        other_slots=map(_from_offered, proposal.other_slots),
        exact_slot=_from_offered(proposal.exact) if proposal.exact else None,
    )


def _from_offered(slot: Slot) -> doctor_pb2.OfferedSlot:
    return doctor_pb2.OfferedSlot(
        slot=from_slot(slot), buffer_minutes=minutes_of(slot.buffer), max_concurrent_appointments=slot.capacity
    )
