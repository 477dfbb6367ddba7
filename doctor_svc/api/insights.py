"""Recommendations between the contract and the use case."""

from collections.abc import Iterable

from telemed.doctor.v1 import insights_pb2

from chassis.ids import parse_optional_uuid
from doctor_svc.api.fields import specialty_wish
from doctor_svc.app.recommend_doctors import RecommendQuestion
from doctor_svc.domain.matching import POLICY_VERSION
from doctor_svc.domain.recommending import Recommendation
from kernel.errors import InvalidArgument

_MOST_RECOMMENDED = 50
_USUALLY_RECOMMENDED = 10


def to_recommend_question(request: insights_pb2.RecommendDoctorsRequest) -> RecommendQuestion:
    """For whom, and what is wished."""
    if not 0 <= request.max_results <= _MOST_RECOMMENDED:
        raise InvalidArgument.of("max_results", f"must be 1 to {_MOST_RECOMMENDED}, or 0 for {_USUALLY_RECOMMENDED}")
    return RecommendQuestion(
        patient_id=parse_optional_uuid(request.patient_id, "patient_id"),
        specialty=specialty_wish(request.specialty, "specialty"),
        limit=request.max_results or _USUALLY_RECOMMENDED,
        at_least_revision=request.at_least_revision,
    )


def from_recommendations(found: Iterable[Recommendation]) -> insights_pb2.RecommendDoctorsResponse:
    """The doctors, the best first."""
    return insights_pb2.RecommendDoctorsResponse(
        recommendations=map(_from_recommendation, found), policy_version=POLICY_VERSION
    )


def _from_recommendation(one: Recommendation) -> insights_pb2.Recommendation:
    profile = one.known.profile
    return insights_pb2.Recommendation(
        doctor_id=profile.doctor_id,
        doctor_first_name=profile.first_name,
        doctor_last_name=profile.last_name,
        specialty=profile.specialty,
        timezone=profile.timezone,
        languages=profile.languages,
        rating=profile.rating,
        rating_count=profile.rating_count,
        score=one.score,
        continuity=one.continuity,
        specialty_fit=one.specialty,
        quality=one.quality,
        reasons=one.reasons,
        is_preferred_doctor=one.known.previous_visits > 0,
        previous_visits=one.known.previous_visits,
    )
