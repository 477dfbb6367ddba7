"""The demo's visits as they are made up one by one: each at a time that its doctor really had free."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from random import Random

from appointment_svc.domain.appointment import Appointment
from appointment_svc.storage.imports import ImportedAppointment
from doctor_svc.domain.offers import Offer
from kernel.appointment_status import AppointmentStatus
from kernel.appointment_types import AppointmentType
from kernel.civil_time import day_of
from kernel.slots import Slot
from stack.demo_diary import Diary
from stack.demo_doctors import DemoDoctor
from stack.demo_ids import demo_id
from stack.demo_patients import DemoPatient

PAST = timedelta(days=365)
AHEAD = timedelta(days=10)
_NOTES = ("Please use my first name.", "I will join from my phone.", "My daughter may sit in.", "Camera off, please.")
_NOTES_SHARE = 0.1
_CANCEL_REASON = "Plans have changed"
_NOT_SPECIAL = "General Practice"


class Chronicle:
    """All visits, with the diary of each doctor and the completed visits of each pair of patient and doctor."""

    def __init__(self, doctors: Sequence[DemoDoctor], now: datetime, rng: Random) -> None:
        """Nobody has been seen yet."""
        self.now = now
        self.visits: list[ImportedAppointment] = []
        self._rng = rng
        self._diaries = {doctor.id: Diary(doctor, now, past=PAST, ahead=AHEAD) for doctor in doctors}
        self._completed: Counter[tuple[str, str]] = Counter()
        self._made: Counter[str] = Counter()

    def diary_of(self, doctor: DemoDoctor) -> Diary:
        """The doctor's diary."""
        return self._diaries[doctor.id]

    def pick_kind(self, patient: DemoPatient, doctor: DemoDoctor) -> AppointmentType:
        """What the patient may see the doctor for: first to get to know each other, then whatever the doctor does."""
        if not self._completed[patient.id, doctor.id]:
            return self._rng.choice((AppointmentType.INITIAL_CONSULTATION, AppointmentType.GENERAL_CONSULTATION))
        offered = [kind for kind in self.diary_of(doctor).kinds if kind is not AppointmentType.EMERGENCY]
        return self._rng.choice([*offered, AppointmentType.GENERAL_CONSULTATION, AppointmentType.FOLLOW_UP])

    def place(
        self,
        patient: DemoPatient,
        doctor: DemoDoctor,
        kind: AppointmentType,
        days: Sequence[date],
        status: AppointmentStatus,
    ) -> date | None:
        """Adds a visit on the first of these days on which the doctor has a free time, and tells which."""
        diary = self.diary_of(doctor)
        for day in days:
            offer = diary.offer(kind, day)
            free = [
                slot for slot in offer.soonest() if status is not AppointmentStatus.CONFIRMED or self._is_ahead(slot)
            ]
            if free:
                self.add(patient, doctor, offer, self._rng.choice(free), status)
                return day
        return None

    def add(
        self,
        patient: DemoPatient,
        doctor: DemoDoctor,
        offer: Offer,
        slot: Slot,
        status: AppointmentStatus,
        *,
        visit_id: str | None = None,
    ) -> None:
        """Adds a visit at a free slot of the offer; a cancelled one leaves the slot free.

        Without an id of its own the visit is named by its patient and how many visits that patient has.
        """
        diary, pair = self.diary_of(doctor), (patient.id, doctor.id)
        previous = self._completed[pair]
        self._made[patient.id] += 1
        self._completed[pair] += status is AppointmentStatus.COMPLETED
        create_time, update_time = self._times(slot, status)
        appointment = Appointment(
            id=visit_id or demo_id("visit", patient.number, self._made[patient.id]),
            patient_id=patient.id,
            doctor_id=doctor.id,
            status=status,
            kind=slot.kind,
            start=slot.start,
            end=slot.end,
            buffer=slot.buffer,
            seat=0 if status is AppointmentStatus.CANCELLED else diary.take(slot),
            timezone=patient.timezone,
            specialty_required=_asked_for(doctor),
            patient_notes=self._rng.choice(_NOTES) if self._rng.random() < _NOTES_SHARE else "",
            match_score=diary.score(offer, previous),
            is_preferred_doctor=previous > 0,
            cancel_reason=_CANCEL_REASON if status is AppointmentStatus.CANCELLED else "",
            version=1,
            create_time=create_time,
            update_time=update_time,
        )
        self.visits.append(ImportedAppointment(appointment, day_of(slot.start, doctor.zone), slot.capacity))

    def _is_ahead(self, slot: Slot) -> bool:
        return self.now < slot.start <= self.now + AHEAD

    def _times(self, slot: Slot, status: AppointmentStatus) -> tuple[datetime, datetime]:
        """When the visit was booked, 4 to 25 days before, and when it last changed; neither after `now`."""
        booked = min(slot.start, self.now) - timedelta(days=self._rng.randint(4, 25), minutes=self._rng.randint(0, 600))
        match status:
            case AppointmentStatus.COMPLETED:
                return booked, slot.end
            case AppointmentStatus.NO_SHOW:
                return booked, slot.start + timedelta(minutes=30)
            case AppointmentStatus.CANCELLED:
                return booked, slot.start - timedelta(days=2)
            case _:
                return booked, booked


def _asked_for(doctor: DemoDoctor) -> str:
    """The specialty that led to the doctor; a family doctor is found without."""
    specialty = doctor.doctor.profile.specialty
    return "" if specialty == _NOT_SPECIAL else specialty.lower()
