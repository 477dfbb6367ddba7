"""A doctor's profile: what is taken, what is shown, and what must hold before it is accepted."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from kernel.civil_time import zone_named
from kernel.errors import InvalidArgument, Violation

MAX_NAME = 100
MAX_SUB_SPECIALTIES = 20
MAX_LANGUAGES = 20
MAX_BIO = 4000
MAX_YEARS = 80
MAX_JURISDICTIONS = 100
MAX_DAILY_APPOINTMENTS = 200
_MAX_EMAIL = 254
_MAX_LANGUAGE = 35
_FIRST_BIRTH_YEAR = 1900
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_JURISDICTION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")


class ConsultationMode(StrEnum):
    """How a visit can be held."""

    VIDEO = "VIDEO"
    PHONE = "PHONE"
    CHAT = "CHAT"


@dataclass(frozen=True, slots=True)
class Profile:
    """What a doctor is described by.

    `timezone` is an IANA name, `languages` are BCP 47 tags, `license_jurisdictions` are ISO 3166 codes in upper case
    (US-NY, GB); `max_daily_appointments` of 0 is no limit. With `requires_approval`, bookings are
    pending until the doctor has approved them.
    """

    first_name: str
    last_name: str
    specialty: str
    timezone: str
    sub_specialties: tuple[str, ...] = ()
    bio: str = ""
    years_experience: int = 0
    languages: tuple[str, ...] = ()
    license_jurisdictions: tuple[str, ...] = ()
    max_daily_appointments: int = 0
    consultation_modes: tuple[ConsultationMode, ...] = (ConsultationMode.VIDEO,)
    requires_approval: bool = False


@dataclass(frozen=True, slots=True)
class PrivateDetails:
    """What is taken and never shown, empty or None where not given; kept out of every representation."""

    email: str = field(default="", repr=False)
    license_number: str = field(default="", repr=False)
    date_of_birth: date | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Doctor:
    """A doctor as shown. `rating` is the mean from 1 to 5, 0 while `rating_count` is 0; instants are aware.

    One who is not active is known to themselves and to staff alone and takes no new visits.
    """

    doctor_id: str
    profile: Profile
    is_verified: bool
    rating: float
    rating_count: int
    version: int
    create_time: datetime
    update_time: datetime
    is_active: bool = True

    @property
    def etag(self) -> str:
        """The version as callers know it."""
        return str(self.version)

    @property
    def is_public(self) -> bool:
        """Whether everyone may know of the doctor."""
        return self.is_verified and self.is_active


def require_valid(profile: Profile, private: PrivateDetails, today: date) -> None:
    """Accepts a profile, or raises InvalidArgument with every field that is wrong."""
    violations = (*_profile_violations(profile), *_private_violations(private, today))
    if violations:
        message = "; ".join(f"{violation.field}: {violation.description}" for violation in violations)
        raise InvalidArgument(message, violations=violations)


def is_language(tag: str) -> bool:
    """Whether a text has the form of a BCP 47 tag."""
    return len(tag) <= _MAX_LANGUAGE and _LANGUAGE.fullmatch(tag) is not None


def is_jurisdiction(code: str) -> bool:
    """Whether a text has the form of an ISO 3166 code in upper case: a country, or one of its states."""
    return _JURISDICTION.fullmatch(code) is not None


def _profile_violations(profile: Profile) -> Iterator[Violation]:
    for name in ("first_name", "last_name", "specialty"):
        yield from _line(f"doctor.{name}", getattr(profile, name), MAX_NAME)
    yield from _lines("doctor.sub_specialties", profile.sub_specialties, MAX_SUB_SPECIALTIES)
    if len(profile.bio) > MAX_BIO or "\0" in profile.bio:
        yield Violation("doctor.bio", f"must be at most {MAX_BIO} characters of text")
    if not 0 <= profile.years_experience <= MAX_YEARS:
        yield Violation("doctor.years_experience", f"must be 0 to {MAX_YEARS}")
    yield from _language_violations(profile.languages)
    yield from _jurisdiction_violations(profile.license_jurisdictions)
    if not 0 <= profile.max_daily_appointments <= MAX_DAILY_APPOINTMENTS:
        yield Violation("doctor.max_daily_appointments", f"must be 1 to {MAX_DAILY_APPOINTMENTS}, or 0 for no limit")
    yield from _zone_violations(profile.timezone)


def _private_violations(private: PrivateDetails, today: date) -> Iterator[Violation]:
    if private.email and (len(private.email) > _MAX_EMAIL or not _is_email(private.email)):
        yield Violation("doctor.email", "must be an e-mail address such as name@example.org")
    if private.license_number:
        yield from _line("doctor.license_number", private.license_number, MAX_NAME)
    born = private.date_of_birth
    if born is not None and not (born.year >= _FIRST_BIRTH_YEAR and born < today):
        yield Violation("doctor.date_of_birth", f"must be a day from {_FIRST_BIRTH_YEAR} to yesterday")


def _line(name: str, text: str, longest: int) -> Iterator[Violation]:
    if not (1 <= len(text) <= longest and text.isprintable()):
        yield Violation(name, f"must be 1 to {longest} characters on one line")


def _lines(name: str, texts: Iterable[str], most: int) -> Iterator[Violation]:
    for index, text in enumerate(texts):
        yield from _line(f"{name}[{index}]", text, MAX_NAME)
        if index == most:
            yield Violation(name, f"must be at most {most}")
            return


def _is_email(text: str) -> bool:
    return text.isprintable() and _EMAIL.fullmatch(text) is not None


def _language_violations(languages: tuple[str, ...]) -> Iterator[Violation]:
    if len(languages) > MAX_LANGUAGES:
        yield Violation("doctor.languages", f"must be at most {MAX_LANGUAGES}")
    for index, tag in enumerate(languages[:MAX_LANGUAGES]):
        if not is_language(tag):
            yield Violation(f"doctor.languages[{index}]", "must be a BCP 47 tag such as en or pt-BR")


def _jurisdiction_violations(codes: tuple[str, ...]) -> Iterator[Violation]:
    if len(codes) > MAX_JURISDICTIONS:
        yield Violation("doctor.license_jurisdictions", f"must be at most {MAX_JURISDICTIONS}")
    for index, code in enumerate(codes[:MAX_JURISDICTIONS]):
        if not is_jurisdiction(code):
            yield Violation(f"doctor.license_jurisdictions[{index}]", "must be an ISO 3166 code such as US-NY or GB")


def _zone_violations(name: str) -> Iterator[Violation]:
    if not name:
        yield Violation("doctor.timezone", "is required, such as America/New_York")
        return
    try:
        zone_named(name, "doctor.timezone")
    except InvalidArgument as refused:
        yield from refused.violations
