"""A bookable time, as every service speaks of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import NamedTuple

from kernel.appointment_types import AppointmentType


class SlotPriority(IntEnum):
    """How gladly a doctor's day takes a visit at a slot; a lower number comes first."""

    EMERGENCY = 1
    PREFERRED = 2
    AVAILABLE = 3
    LIMITED = 4


class Slot(NamedTuple):
    """A free time for one kind of visit, with what the ledger must know to book it. Instants are aware, in UTC.

    A tuple, because there are thousands in some answers, and it is made in half the time of a frozen dataclass.
    """

    start: datetime
    end: datetime
    kind: AppointmentType
    priority: SlotPriority
    buffer: timedelta
    capacity: int


@dataclass(frozen=True, slots=True)
class AlternativeSlot:
    """A free time with its doctor, offered next to the one booked or in place of the one refused."""

    doctor_id: str
    doctor_first_name: str
    doctor_last_name: str
    slot: Slot
    match_score: float
    has_patient_history: bool
