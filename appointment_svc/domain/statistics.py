"""The figures that people ask for: what became of visits, and how attempts to book went."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from kernel.appointment_types import AppointmentType


@dataclass(frozen=True, slots=True)
class VisitStats:
    """What became of visits. Rates and scores lie in [0, 1], rounded to six digits, 0 where nothing is to divide.

    `by_kind` holds the kinds of which there is a visit. A continuity visit is a completed one of a patient who had
    completed an earlier one with the same doctor; it was possible when there was an earlier one with anybody.
    """

    total: int
    completed: int
    cancelled: int
    no_show: int
    upcoming: int
    average_minutes: float
    by_kind: Mapping[AppointmentType, int]
    continuity: int
    continuity_possible: int
    continuity_rate: float
    average_match_score: float


@dataclass(frozen=True, slots=True)
class BookingFigures:
    """How attempts went: smart (SmartBook), manual (Book) and holds (HoldSlot), with failures by reason."""

    bookings: int
    smart_bookings: int
    manual_bookings: int
    confirmed_holds: int
    continuity_bookings: int
    average_match_score: float
    smart_attempts: int
    smart_success_rate: float
    manual_attempts: int
    manual_success_rate: float
    hold_attempts: int
    holds: int
    failures: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class SpecialtySuccess:
    """How attempts that required one specialty (in lower case) went."""

    specialty: str
    attempts: int
    successes: int
    success_rate: float


@dataclass(frozen=True, slots=True)
class BookingAnalytics:
    """The figures of each day, of all together, and by specialty with the most wanted first."""

    days: Sequence[tuple[date, BookingFigures]]
    total: BookingFigures
    specialties: Sequence[SpecialtySuccess]
