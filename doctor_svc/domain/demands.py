"""What a doctor must have to be in question at all, and everything that a doctor in question may fail."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from doctor_svc.domain.matching import PRIOR_RATING, DoctorProfile, has_specialty


class Rule(StrEnum):
    """Whatever can keep a doctor from being booked as asked, in the order in which it is told."""

    UNVERIFIED = "UNVERIFIED"
    INACTIVE = "INACTIVE"
    SPECIALTY = "SPECIALTY"
    LANGUAGE = "LANGUAGE"
    LICENCE = "LICENCE"
    RATING = "RATING"
    OUTSIDE_HOURS = "OUTSIDE_HOURS"
    NOTICE = "NOTICE"
    HORIZON = "HORIZON"
    BUSY = "BUSY"
    DOCTOR_DAY_FULL = "DOCTOR_DAY_FULL"


@dataclass(frozen=True, slots=True)
class Reason:
    """A rule that a doctor fails, as a sentence about the doctor.

    For NOTICE also by how many minutes, and for HORIZON the last day that can be booked in the doctor's calendar.
    """

    rule: Rule
    sentence: str
    missing_minutes: int = 0
    last_day: date | None = None


@dataclass(frozen=True, slots=True)
class Demands:
    """What a patient insists on; what is empty or 0 is not insisted on.

    `language` is a BCP 47 tag, `location` an ISO 3166 code of a country or one of its states.
    """

    specialty: str = ""
    language: str = ""
    location: str = ""
    min_rating: float = 0.0

    @property
    def more_than_specialty(self) -> bool:
        """Whether anything but a specialty is insisted on."""
        return bool(self.language or self.location or self.min_rating)

    @property
    def licences(self) -> tuple[str, ...]:
        """The jurisdictions of which any will do: the place itself, and the whole country that it lies in."""
        place = self.location.upper()
        return tuple(dict.fromkeys((place, place.partition("-")[0]))) if place else ()


NO_DEMANDS = Demands()


def unmet(profile: DoctorProfile, demands: Demands, *, is_verified: bool, is_active: bool) -> Iterator[Reason]:
    """Every reason, apart from time, for which a doctor is out of the question."""
    if not is_verified:
        yield Reason(Rule.UNVERIFIED, "is not verified yet")
    if not is_active:
        yield Reason(Rule.INACTIVE, "takes no visits at present")
    if not has_specialty(profile, demands.specialty):
        yield Reason(Rule.SPECIALTY, f"is a doctor of {profile.specialty}, not of {demands.specialty}")
    if demands.language and not speaks(profile.languages, demands.language):
        yield Reason(Rule.LANGUAGE, f"does not speak {demands.language}")
    if demands.location and not set(demands.licences) & set(profile.license_jurisdictions):
        yield Reason(Rule.LICENCE, f"is not licensed in {demands.location}")
    if rating_that_counts(profile) < demands.min_rating:
        yield Reason(Rule.RATING, f"is rated {_rating(profile)}, below {demands.min_rating:.1f}")


def speaks(tags: tuple[str, ...], language: str) -> bool:
    """Whether one of the tags is a language or a kind of it, in any case of letters: en-GB is a kind of en."""
    wanted = language.lower()
    return any(tag.lower() == wanted or tag.lower().startswith(f"{wanted}-") for tag in tags)


def rating_that_counts(profile: DoctorProfile) -> float:
    """The mean as patients see it; of a doctor whom nobody has rated yet, what is expected of a new one."""
    return profile.rating if profile.rating_count else PRIOR_RATING


def _rating(profile: DoctorProfile) -> str:
    return f"{profile.rating:.1f}" if profile.rating_count else "by nobody yet"
