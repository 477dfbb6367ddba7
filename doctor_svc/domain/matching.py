"""How well each doctor fits a patient: the parts of the score, their weights, the order of ties, and the reasons."""

from collections.abc import Iterable
from dataclasses import dataclass

from doctor_svc.domain.offers import Offer
from doctor_svc.domain.specialties import specialty_key


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each part of a score counts; together they make 1."""

    continuity: float = 0.50
    specialty: float = 0.25
    availability: float = 0.15
    quality: float = 0.10


WEIGHTS = Weights()
# Goes up whenever the same doctor and wish would get another score: weights, prior or parts. It is answered and stored
# with each score, so that scores of different times can be told apart. 1: 0.50 C + 0.25 S + 0.15 A + 0.10 Q.
POLICY_VERSION = 1

SPECIALTY_MATCHED = 1.0
SPECIALTY_NOT_ASKED = 0.8  # nobody was asked for, so nobody fits perfectly

MAX_RATING = 5.0
RATING_SHARE = 0.8  # of quality; experience has the rest
EXPERIENCE_SHARE = 0.2
FULL_EXPERIENCE_YEARS = 20

# A rating is the mean of the ratings given and of five imagined ones of 4.0. So a new doctor starts as a good one, and
# the first rating, however kind or harsh, moves nobody far.
PRIOR_RATING = 4.0
PRIOR_COUNT = 5

HIGH_RATING = 4.0
NOTABLE_YEARS = 5
_DECIMALS = 4


@dataclass(frozen=True, slots=True)
class DoctorProfile:
    """What a patient may know of a doctor.

    `rating` is the mean from 1 to 5, 0 while `rating_count` is 0; `max_daily_appointments` of 0 is no limit.
    """

    doctor_id: str
    first_name: str
    last_name: str
    specialty: str
    sub_specialties: tuple[str, ...]
    timezone: str
    rating: float
    rating_count: int
    years_experience: int
    languages: tuple[str, ...] = ()
    license_jurisdictions: tuple[str, ...] = ()
    max_daily_appointments: int = 0
    requires_approval: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """A verified doctor to be ranked: profile, completed visits with the patient, and what is on offer."""

    profile: DoctorProfile
    previous_visits: int
    offer: Offer


@dataclass(frozen=True, slots=True)
class Wish:
    """What the patient asks of a doctor.

    `specialty` is as the patient spelled it, empty for any; `has_window` says that a date or window was wished for.
    """

    specialty: str = ""
    allow_history: bool = True
    has_window: bool = False


@dataclass(frozen=True, slots=True)
class Components:
    """The parts of a score, each in [0, 1]. Continuity is 0 when the patient's history may not count."""

    continuity: float
    specialty: float
    availability: float
    quality: float


@dataclass(frozen=True, slots=True)
class RankedDoctor:
    """A candidate with the score in [0, 1], rounded to four decimals, for one wish."""

    candidate: Candidate
    wish: Wish
    score: float
    components: Components

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why in sentences; put into words only for those who are shown."""
        return reasons_of(self.candidate, self.wish)

    @property
    def is_preferred(self) -> bool:
        """Whether the patient has completed a visit with this doctor, even where that may not count."""
        return self.candidate.previous_visits > 0


def rank(candidates: Iterable[Candidate], wish: Wish) -> list[RankedDoctor]:
    """The candidates who have the wished specialty, the best first.

    Ties go to more visits together, the larger free share, the better rating, fewer visits that day, the lower id.
    """
    fitting = (candidate for candidate in candidates if has_specialty(candidate.profile, wish.specialty))
    return sorted((_ranked(candidate, wish) for candidate in fitting), key=lambda doctor: _order(doctor, wish))


def has_specialty(profile: DoctorProfile, specialty: str) -> bool:
    """Whether a doctor has a specialty or sub-specialty of that name, in any case of letters; empty means any."""
    wanted = specialty_key(specialty)
    return not wanted or wanted in {specialty_key(name) for name in (profile.specialty, *profile.sub_specialties)}


def components_of(candidate: Candidate, wish: Wish) -> Components:
    """The parts of a fitting candidate's score."""
    offer = candidate.offer
    return Components(
        continuity=1.0 if wish.allow_history and candidate.previous_visits > 0 else 0.0,
        specialty=SPECIALTY_MATCHED if specialty_key(wish.specialty) else SPECIALTY_NOT_ASKED,
        availability=offer.free / offer.total if offer.total else 0.0,
        quality=quality_of(candidate.profile),
    )


def score_of(parts: Components, *, allow_history: bool) -> float:
    """The weighted sum in [0, 1], to four decimals. Without history its weight is shared out among the others."""
    rest = (
        WEIGHTS.specialty * parts.specialty
        + WEIGHTS.availability * parts.availability
        + WEIGHTS.quality * parts.quality
    )
    if allow_history:
        return round(WEIGHTS.continuity * parts.continuity + rest, _DECIMALS)
    return round(rest / (WEIGHTS.specialty + WEIGHTS.availability + WEIGHTS.quality), _DECIMALS)


def weighed_rating(profile: DoctorProfile) -> float:
    """The rating drawn towards the prior, the more so the fewer people have given one; from 1 to 5.

    With n ratings of mean r: (n · r + PRIOR_COUNT · PRIOR_RATING) ÷ (n + PRIOR_COUNT), the posterior mean when
    PRIOR_COUNT ratings of PRIOR_RATING are believed beforehand (Gelman et al., Bayesian Data Analysis, 3rd ed., §2.5).
    The search index holds the same number (doctor.weighed_rating); the table of the policy is in docs/decisions/0012.
    """
    weight = profile.rating_count + PRIOR_COUNT
    return (profile.rating * profile.rating_count + PRIOR_RATING * PRIOR_COUNT) / weight


def reasons_of(candidate: Candidate, wish: Wish) -> tuple[str, ...]:
    """Why a fitting candidate was chosen, the strongest reason first."""
    visits = candidate.previous_visits if wish.allow_history else 0
    free = candidate.offer.free
    of_profile = profile_reasons(candidate.profile, visits=visits, specialty=wish.specialty.strip())
    return (*of_profile, f"{free} free time(s) in the wished window") if wish.has_window and free else of_profile


def profile_reasons(profile: DoctorProfile, *, visits: int, specialty: str) -> tuple[str, ...]:
    """What speaks for a doctor whatever the time. `visits` are those that may count, `specialty` one that was met."""
    told = (
        (visits > 0, f"Previous patient - {visits} consultation(s) with this doctor"),
        (specialty != "", f"Specializes in {specialty}"),
        (
            profile.rating_count > 0 and profile.rating >= HIGH_RATING,
            f"Highly rated ({profile.rating:.1f}/{MAX_RATING:.1f})",
        ),
        (profile.years_experience >= NOTABLE_YEARS, f"{profile.years_experience} years of experience"),
    )
    return tuple(sentence for holds, sentence in told if holds)


def quality_of(profile: DoctorProfile) -> float:
    """The part of a score for rating and experience, in [0, 1]."""
    experience = min(profile.years_experience / FULL_EXPERIENCE_YEARS, 1.0)
    return RATING_SHARE * weighed_rating(profile) / MAX_RATING + EXPERIENCE_SHARE * experience


def _ranked(candidate: Candidate, wish: Wish) -> RankedDoctor:
    parts = components_of(candidate, wish)
    score = score_of(parts, allow_history=wish.allow_history)
    return RankedDoctor(candidate, wish, score, parts)


def _order(doctor: RankedDoctor, wish: Wish) -> tuple[float, int, float, float, int, str]:
    candidate = doctor.candidate
    return (
        -doctor.score,
        -candidate.previous_visits if wish.allow_history else 0,
        -doctor.components.availability,
        -weighed_rating(candidate.profile),
        candidate.offer.booked_that_day,
        candidate.profile.doctor_id,
    )
