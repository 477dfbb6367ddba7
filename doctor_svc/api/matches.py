"""The wish of a patient and who answers it, between the contract and the use case."""

import math
import re

from telemed.doctor.v1 import doctor_pb2
from telemed.doctor.v1 import doctor_service_pb2 as api

from chassis.enum_map import EnumMap
from chassis.ids import parse_optional_uuid
from chassis.protos import from_date, is_midnight_end, to_optional_date, to_optional_instant, to_optional_wall
from doctor_svc.api.convert import from_offered
from doctor_svc.api.fields import optional_duration, required_kind, specialty_wish
from doctor_svc.app.match_doctors import MatchAnswer, MatchQuestion
from doctor_svc.domain.demands import Demands, Rule
from doctor_svc.domain.exclusion import Exclusion
from doctor_svc.domain.matching import MAX_RATING, POLICY_VERSION
from doctor_svc.domain.proposals import Proposal
from doctor_svc.domain.slots import Visit
from kernel.appointment_types import default_duration
from kernel.civil_time import zone_named
from kernel.errors import InvalidArgument

_MOST_MATCHES = 50
_USUAL_MATCHES = 10
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
_LOCATION = re.compile(r"[A-Za-z]{2}(-[A-Za-z0-9]{1,3})?")
_RULES = EnumMap(doctor_pb2.ExclusionRule.DESCRIPTOR, Rule)


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
        exact_only=request.exact_time_only,
        demands=_to_demands(request),
        allow_history=history,
        doctor_id=parse_optional_uuid(request.doctor_id, "doctor_id"),
        limit=request.max_results or _USUAL_MATCHES,
        explain=request.explain,
        at_least_revision=request.at_least_revision,
    )


def from_match_answer(answer: MatchAnswer) -> api.MatchDoctorsResponse:
    """Who fits, the best first, and who does not."""
    return api.MatchDoctorsResponse(
        matches=map(_from_proposal, answer.proposals),
        policy_version=POLICY_VERSION,
        excluded=map(_from_exclusion, answer.excluded),
    )


def _to_demands(request: api.MatchDoctorsRequest) -> Demands:
    if request.language and not _LANGUAGE.fullmatch(request.language):
        raise InvalidArgument.of("language", "must be a BCP 47 tag such as en or pt-BR")
    if request.location and not _LOCATION.fullmatch(request.location):
        raise InvalidArgument.of("location", "must be an ISO 3166 code such as US-NY or GB")
    lowest = request.min_rating
    if math.isnan(lowest) or (lowest and not 1 <= lowest <= MAX_RATING):
        raise InvalidArgument.of("min_rating", f"must be 1 to {MAX_RATING:.0f}, or 0 for any")
    return Demands(specialty_wish(request.specialty_required), request.language, request.location, lowest)


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
        slots=map(from_offered, proposal.slots),
        other_slots=map(from_offered, proposal.other_slots),
        exact_slot=from_offered(proposal.exact) if proposal.exact else None,
        requires_approval=profile.requires_approval,
        max_daily_appointments=profile.max_daily_appointments,
        free_slot_count=proposal.free_count,
    )


def _from_exclusion(exclusion: Exclusion) -> doctor_pb2.ExcludedDoctor:
    profile = exclusion.schedule.profile
    return doctor_pb2.ExcludedDoctor(
        doctor_id=profile.doctor_id,
        doctor_first_name=profile.first_name,
        doctor_last_name=profile.last_name,
        specialty=profile.specialty,
        timezone=profile.timezone,
        reasons=[
            doctor_pb2.ExclusionReason(
                rule=_RULES.number(reason.rule),
                message=reason.sentence,
                missing_minutes=reason.missing_minutes,
                last_day=from_date(reason.last_day) if reason.last_day else None,
            )
            for reason in exclusion.reasons
        ],
        nearest_slot=from_offered(exclusion.nearest) if exclusion.nearest else None,
        suggestion=exclusion.suggestion,
        max_daily_appointments=profile.max_daily_appointments,
    )
