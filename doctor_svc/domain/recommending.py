"""Which doctors to recommend when no time is in question: the parts of a match without its free times."""

from collections.abc import Sequence
from dataclasses import dataclass

from doctor_svc.domain.matching import (
    SPECIALTY_MATCHED,
    SPECIALTY_NOT_ASKED,
    WEIGHTS,
    DoctorProfile,
    has_specialty,
    profile_reasons,
    quality_of,
    weighed_rating,
)

SPECIALTY_MISSED = 0.0
_DECIMALS = 4


@dataclass(frozen=True, slots=True)
class Known:
    """A verified doctor, and how many visits the patient has completed with them."""

    profile: DoctorProfile
    previous_visits: int


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A doctor with the score and its parts, each in [0, 1], and why in sentences."""

    known: Known
    score: float
    continuity: float
    specialty: float
    quality: float
    reasons: tuple[str, ...]


def recommend(doctors: Sequence[Known], specialty: str, *, allow_history: bool) -> list[Recommendation]:
    """The doctors, the best first; nobody is left out, so that the list is empty only where there are no doctors.

    A specialty is a wish here, not a demand. For a patient without any history continuity says nothing, so that its
    weight is shared out among the other parts. Ties go to more visits together, the better rating, the lower id.
    """
    history_counts = allow_history and any(doctor.previous_visits for doctor in doctors)
    found = [_recommendation(doctor, specialty.strip(), history_counts=history_counts) for doctor in doctors]
    return sorted(found, key=lambda one: _order(one, history_counts=history_counts))


def _recommendation(doctor: Known, specialty: str, *, history_counts: bool) -> Recommendation:
    fits = has_specialty(doctor.profile, specialty)
    visits = doctor.previous_visits if history_counts else 0
    continuity = 1.0 if visits else 0.0
    asked = SPECIALTY_MATCHED if fits else SPECIALTY_MISSED
    skill = asked if specialty else SPECIALTY_NOT_ASKED
    quality = quality_of(doctor.profile)
    weight = WEIGHTS.specialty + WEIGHTS.quality + (WEIGHTS.continuity if history_counts else 0.0)
    total = WEIGHTS.continuity * continuity + WEIGHTS.specialty * skill + WEIGHTS.quality * quality
    return Recommendation(
        known=doctor,
        score=round(total / weight, _DECIMALS),
        continuity=continuity,
        specialty=skill,
        quality=quality,
        reasons=profile_reasons(doctor.profile, visits=visits, specialty=specialty if fits else ""),
    )


def _order(one: Recommendation, *, history_counts: bool) -> tuple[float, int, float, str]:
    profile = one.known.profile
    visits = one.known.previous_visits if history_counts else 0
    return -one.score, -visits, -weighed_rating(profile), profile.doctor_id
