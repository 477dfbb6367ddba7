"""A visit as the appointment service tells it: who, when, where it stands, and how new that knowledge is."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from kernel.appointment_status import AppointmentStatus
from kernel.civil_time import require_aware


class ParticipantType(Enum):
    """On which side of a visit somebody takes part."""

    PATIENT = "PATIENT"
    DOCTOR = "DOCTOR"


@dataclass(frozen=True, slots=True)
class Visit:
    """One version of one appointment. Instants are aware; `version` starts at 1 and grows with every change."""

    appointment_id: str
    patient_id: str
    doctor_id: str
    status: AppointmentStatus
    start: datetime
    end: datetime
    version: int

    def __post_init__(self) -> None:
        require_aware(self.start, "start")
        require_aware(self.end, "end")

    def person(self, side: ParticipantType) -> str:
        """Who takes part on that side."""
        return self.patient_id if side is ParticipantType.PATIENT else self.doctor_id


def newer(known: Visit | None, heard: Visit) -> Visit:
    """The version to keep: the heard one if it is newer, so that a repeat or a latecomer changes nothing."""
    return heard if known is None or heard.version > known.version else known


def newest_of(heard: Iterable[Visit]) -> list[Visit]:
    """The newest version of each appointment among those heard, in the order of their ids."""
    kept: dict[str, Visit] = {}
    for visit in heard:
        kept[visit.appointment_id] = newer(kept.get(visit.appointment_id), visit)
    return [kept[appointment_id] for appointment_id in sorted(kept)]
