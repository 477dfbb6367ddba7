"""Visits as the appointment service tells of them: what the doctor service keeps of each change."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from kernel.appointment_status import AppointmentStatus
from kernel.appointment_types import AppointmentType
from kernel.civil_time import require_aware


@dataclass(frozen=True, slots=True)
class Visit:
    """One version of one visit. `occupied_until` is the end with the buffer; instants are aware.

    From `hold_expire_time` on a hold keeps no time, told or not; None for all but holds. `rating` is what the patient
    has given the completed visit, 1 to 5; None while there is none.
    """

    appointment_id: str
    version: int
    doctor_id: str
    patient_id: str
    kind: AppointmentType
    status: AppointmentStatus
    start: datetime
    end: datetime
    occupied_until: datetime
    seat: int
    hold_expire_time: datetime | None = None
    rating: int | None = None

    def __post_init__(self) -> None:
        require_aware(self.start, "start")
        require_aware(self.end, "end")
        require_aware(self.occupied_until, "occupied_until")


@dataclass(frozen=True, slots=True)
class VisitChange:
    """A visit after a change, the change's number in the feed (from 1), and the trace that caused it."""

    number: int
    visit: Visit
    traceparent: str = ""


def newest_of(visits: Iterable[Visit]) -> list[Visit]:
    """The newest version of each visit, in the order of their ids."""
    newest: dict[str, Visit] = {}
    for visit in visits:
        known = newest.get(visit.appointment_id)
        if known is None or known.version < visit.version:
            newest[visit.appointment_id] = visit
    return [newest[appointment_id] for appointment_id in sorted(newest)]
