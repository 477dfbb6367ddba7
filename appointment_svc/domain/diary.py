"""What the ledger holds of some doctors' and one patient's time, read at one moment, and what still fits into it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from kernel.appointment_types import AppointmentType
from kernel.slots import Slot

_A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Claim:
    """An appointment that holds `[start, end)` of a doctor's time, buffer included, or of a patient's, without it.

    `seat` counts among the visits of the kind that share a doctor's time, `capacity` at a time. `day` is the day that
    it counts for, and `ordinal`, of a patient's claim, its place among the visits of that day, from 0.
    """

    appointment_id: str
    doctor_id: str
    patient_id: str
    kind: AppointmentType
    start: datetime
    end: datetime
    seat: int = 0
    capacity: int = 1
    day: date | None = None
    ordinal: int = 0

    def overlaps(self, start: datetime, end: datetime) -> bool:
        """Whether the claim shares time with `[start, end)`."""
        return self.start < end and start < self.end


@dataclass(frozen=True, slots=True)
class Diary:
    """Claims by doctor, and one patient's; it decides as the constraints of the ledger do (docs/decisions/0002)."""

    doctors: Mapping[str, tuple[Claim, ...]] = field(default_factory=dict)
    patient: tuple[Claim, ...] = ()

    def without(self, appointment_id: str | None) -> "Diary":
        """The diary as it were without one appointment: the one to be moved does not stand in its own way."""
        if appointment_id is None:
            return self
        others = {doctor: _less(claims, appointment_id) for doctor, claims in self.doctors.items()}
        return Diary(others, _less(self.patient, appointment_id))

    def in_doctors_way(self, doctor_id: str, slot: Slot) -> tuple[Claim, ...]:
        """The claims that keep a doctor from taking a slot: all of another kind, and its own once no seat is left."""
        met = [c for c in self.doctors.get(doctor_id, ()) if c.overlaps(slot.start, slot.end + slot.buffer)]
        others = tuple(claim for claim in met if claim.kind is not slot.kind)
        same = tuple(claim for claim in met if claim.kind is slot.kind)
        is_full = {claim.seat for claim in same}.issuperset(range(slot.capacity))
        return others + same if is_full else others

    def in_patients_way(self, start: datetime, end: datetime) -> tuple[Claim, ...]:
        """The patient's own visits in `[start, end)`."""
        return tuple(claim for claim in self.patient if claim.overlaps(start, end))

    def visits_on(self, day: date, limit: int) -> int:
        """How many of the places that a day has for the patient are taken.

        A visit that staff booked past the limit has a place of its own, at or past `limit`, and takes none of these.
        """
        return sum(claim.day == day and claim.ordinal < limit for claim in self.patient)

    def next_day_with_room(self, day: date, limit: int) -> date:
        """The first later day on which the patient has a place left."""
        later = day + _A_DAY
        while self.visits_on(later, limit) >= limit:
            later += _A_DAY
        return later

    def doctor_is_full(self, doctor_id: str, day: date, max_daily: int) -> bool:
        """Whether a doctor has as many visits on a day as they take in one; 0 is no limit."""
        return 0 < max_daily <= sum(claim.day == day for claim in self.doctors.get(doctor_id, ()))

    def takes(self, doctor_id: str, slot: Slot, day: date, *, limit: int, max_daily: int) -> bool:
        """Whether the ledger would book the slot for the patient, as far as this moment can tell."""
        return (
            not self.doctor_is_full(doctor_id, day, max_daily)
            and not self.in_doctors_way(doctor_id, slot)
            and not self.in_patients_way(slot.start, slot.end)
            and self.visits_on(day, limit) < limit
        )


def _less(claims: tuple[Claim, ...], appointment_id: str) -> tuple[Claim, ...]:
    return tuple(claim for claim in claims if claim.appointment_id != appointment_id)
