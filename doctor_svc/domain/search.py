"""What doctors are searched by, and where in the order of the found a page ends."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from doctor_svc.domain.doctor import Doctor
from kernel.appointment_types import AppointmentType


class Order(StrEnum):
    """How the found are ordered. Names go from A to Z, everything else from the most to the least."""

    RELEVANCE = "RELEVANCE"
    RATING = "RATING"
    EXPERIENCE = "EXPERIENCE"
    NAME = "NAME"

    @property
    def key_types(self) -> tuple[type, ...]:
        """What the found are ordered by, before their ids."""
        return _KEY_TYPES[self]


_KEY_TYPES: dict[Order, tuple[type, ...]] = {
    Order.RELEVANCE: (float, float),
    Order.RATING: (float,),
    Order.EXPERIENCE: (int, float),
    Order.NAME: (str, str),
}


@dataclass(frozen=True, slots=True)
class SearchWish:
    """What a doctor must meet; empty texts, 0 and None ask for nothing.

    `specialty` is a key of domain/specialties.py, `language` a BCP 47 tag in lower case, `jurisdictions` are ISO 3166
    codes of which one is enough. `available_on` is a day of each doctor's own calendar on which a visit of `kind` is
    free; without a kind, of any kind that the doctor has hours of its own for.
    """

    query: str = ""
    specialty: str = ""
    language: str = ""
    jurisdictions: tuple[str, ...] = ()
    min_rating: float = 0.0
    min_years_experience: int = 0
    verified: bool = True
    active: bool = True
    available_on: date | None = None
    kind: AppointmentType | None = None
    order: Order = Order.RATING

    def __post_init__(self) -> None:
        if self.order is Order.RELEVANCE and not self.query:
            raise ValueError("without a query nobody is more relevant than another")

    @property
    def is_public(self) -> bool:
        """Whether the wish is for doctors of whom everyone may know."""
        return self.verified and self.active


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the order of the found: the keys of that order, then the doctor's id."""

    keys: tuple[float | str, ...]
    doctor_id: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A doctor found, and where in the order."""

    doctor: Doctor
    position: Position
