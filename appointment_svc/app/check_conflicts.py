"""Says from the ledger whether a time is free, and what is free instead."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from appointment_svc.app.access import may_see
from appointment_svc.app.ports import Diaries, Doctors, MatchWish
from appointment_svc.domain.diary import Claim, Diary
from appointment_svc.domain.failing import DoctorFacts, failing_at
from appointment_svc.domain.offers import Offer, can_take, candidates_in_window, candidates_outside, improvised
from appointment_svc.domain.rules import Rules, check_calendar, visit_length
from chassis.accesses import note_access
from chassis.clock import Clock
from chassis.context import Caller, Role
from kernel.appointment_types import AppointmentType
from kernel.civil_time import day_of
from kernel.errors import InvalidArgument, PermissionDenied
from kernel.slots import Slot

_MOST_ALTERNATIVES = 5
_A_DAY = timedelta(days=1)
# No rule keeps more than this free after a visit.
_LONGEST_BUFFER = timedelta(hours=4)


class Whose(StrEnum):
    """Whose time a conflict is about."""

    DOCTOR_BUSY = "DOCTOR_BUSY"
    PATIENT_BUSY = "PATIENT_BUSY"


@dataclass(frozen=True, slots=True)
class Question:
    """A time of a doctor, `[start, end)`, for a visit of a kind; `patient_id` also asks for that patient's time.

    A patient who asks always asks for their own.
    """

    doctor_id: str
    start: datetime
    end: datetime
    kind: AppointmentType
    exclude_appointment_id: str | None
    patient_id: str | None


@dataclass(frozen=True, slots=True)
class Conflict:
    """A booked time in the way; the id is None unless the caller may see the appointment."""

    whose: Whose
    appointment_id: str | None
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """What is in the way, and, where the time cannot be booked, times of the same doctor that can."""

    conflicts: Sequence[Conflict]
    suggestions: Sequence[Slot]


@dataclass(frozen=True, slots=True)
class CheckConflicts:
    """The use case."""

    doctors: Doctors
    diaries: Diaries
    rules: Rules
    clock: Clock

    async def __call__(self, caller: Caller, question: Question) -> Answer:
        """The answer. Raises DOCTOR_NOT_FOUND and the like as the doctor service gives them."""
        _check(caller, question)
        patient = question.patient_id or (caller.subject if caller.role is Role.PATIENT else None)
        note_access(patient_id=patient)
        offer = await self._offer(question, patient)
        diary = await self._read(question, patient, offer)
        slot = offer.exact or improvised(
            question.kind, question.start, question.end - question.start, self.rules.clinic_buffer
        )
        busy = diary.in_doctors_way(question.doctor_id, slot)
        told = {claim.appointment_id for claim in busy}
        own = [c for c in diary.in_patients_way(question.start, question.end) if c.appointment_id not in told]
        conflicts = [
            *(_shown(caller, Whose.DOCTOR_BUSY, claim) for claim in busy),
            *(_shown(caller, Whose.PATIENT_BUSY, claim) for claim in own),
        ]
        if not conflicts and offer.exact is not None and self._is_open(offer, question.start):
            return Answer((), ())
        return Answer(conflicts, self._suggestions(question, offer, diary))

    async def _offer(self, question: Question, patient: str | None) -> Offer:
        offers = await self.doctors.match(
            MatchWish(
                patient_id=patient or "",
                kind=question.kind,
                length=question.end - question.start,
                timezone="UTC",
                doctor_id=question.doctor_id,
                start=question.start,
            )
        )
        return offers[0]

    async def _read(self, question: Question, patient: str | None, offer: Offer) -> Diary:
        times = (*offer.slots, *offer.others)
        starts = [question.start, *(slot.start for slot in times)]
        ends = [question.end + _LONGEST_BUFFER, *(slot.end + slot.buffer for slot in times)]
        diary = await self.diaries.read([question.doctor_id], patient, min(starts) - _A_DAY, max(ends) + _A_DAY)
        return diary.without(question.exclude_appointment_id)

    def _is_open(self, offer: Offer, start: datetime) -> bool:
        """Whether the clinic's notice and horizon leave the start."""
        return not any(failing_at(start, self.clock(), self.rules, DoctorFacts(offer.zone)))

    def _suggestions(self, question: Question, offer: Offer, diary: Diary) -> list[Slot]:
        """The nearest times of the same day, on both sides, then those of the days around it."""
        free = [
            one
            for one in (*candidates_in_window([offer]), *candidates_outside([offer]))
            if can_take(one, diary, self.rules.daily_limit)
        ]
        asked = day_of(question.start, offer.zone)
        free.sort(key=lambda one: (one.day != asked, abs(one.slot.start - question.start), one.slot.start))
        return [one.slot for one in free[:_MOST_ALTERNATIVES]]


def _shown(caller: Caller, whose: Whose, claim: Claim) -> Conflict:
    if not may_see(caller, claim):
        return Conflict(whose, None, claim.start, claim.end)
    note_access(entity_id=claim.appointment_id, patient_id=claim.patient_id)
    return Conflict(whose, claim.appointment_id, claim.start, claim.end)


def _check(caller: Caller, question: Question) -> None:
    check_calendar(question.start, "start_time")
    check_calendar(question.end, "end_time")
    if question.end <= question.start:
        raise InvalidArgument.of("end_time", "must be after start_time")
    length = question.end - question.start
    if length.total_seconds() % 60:
        raise InvalidArgument.of("end_time", "must be a whole number of minutes after start_time")
    try:
        visit_length(question.kind, int(length.total_seconds()) // 60)
    except InvalidArgument:
        raise InvalidArgument.of("end_time", "must be 5 to 240 minutes after start_time") from None
    if caller.role is Role.PATIENT and question.patient_id not in (None, caller.subject):
        raise PermissionDenied("a patient may ask for nobody else's time")
