"""Says from the ledger whether a time is free, and what is free instead."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from appointment_svc.app.access import may_see
from appointment_svc.app.ports import Appointments, BusyTime, Claims, Doctors, MatchWish
from appointment_svc.domain.offers import Offer, nearest
from appointment_svc.domain.rules import visit_length
from chassis.context import Caller, Role
from kernel.appointment_types import AppointmentType
from kernel.errors import InvalidArgument, PermissionDenied
from kernel.slots import Slot

_MOST_ALTERNATIVES = 5


class Whose(StrEnum):
    """Whose time a conflict is about."""

    DOCTOR_BUSY = "DOCTOR_BUSY"
    PATIENT_BUSY = "PATIENT_BUSY"


@dataclass(frozen=True, slots=True)
class Question:
    """A time of a doctor, `[start, end)`, for a visit of a kind; `patient_id` also asks for that patient's time."""

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
    """What is in the way, and free times of the same doctor, the nearest first."""

    conflicts: Sequence[Conflict]
    suggestions: Sequence[Slot]


@dataclass(frozen=True, slots=True)
class CheckConflicts:
    """The use case."""

    doctors: Doctors
    claims: Claims
    appointments: Appointments

    async def __call__(self, caller: Caller, question: Question) -> Answer:
        """The answer. Raises DOCTOR_NOT_FOUND and the like as the doctor service gives them."""
        _check(caller, question)
        offer = await self._offer(caller, question)
        in_the_way = await self._doctor_conflicts(question, offer)
        conflicts = [await self._shown(caller, Whose.DOCTOR_BUSY, busy) for busy in in_the_way]
        if question.patient_id is not None:
            busy_times = await self.claims.of_patient(question.patient_id, question.start, question.end)
            conflicts += [
                await self._shown(caller, Whose.PATIENT_BUSY, busy)
                for busy in busy_times
                if busy.appointment_id != question.exclude_appointment_id
            ]
        if not conflicts:
            return Answer((), ())
        return Answer(conflicts, await self._suggestions(question, offer))

    async def _offer(self, caller: Caller, question: Question) -> Offer:
        patient = question.patient_id or (caller.subject if caller.role is Role.PATIENT else "")
        offers = await self.doctors.match(
            MatchWish(
                patient_id=patient,
                kind=question.kind,
                length=question.end - question.start,
                timezone="UTC",
                doctor_id=question.doctor_id,
                start=question.start,
            )
        )
        return offers[0]

    async def _doctor_conflicts(self, question: Question, offer: Offer) -> list[BusyTime]:
        """Claims that leave no seat: all of another kind, and those of the same kind once every seat has one."""
        end = question.end + (offer.exact.buffer if offer.exact else question.end - question.end)
        capacity = offer.exact.capacity if offer.exact else 1
        overlapping = await self.claims.of_doctor(question.doctor_id, question.start, end)
        others = [busy for busy in overlapping if busy.appointment_id != question.exclude_appointment_id]
        of_other_kind = [busy for busy in others if busy.kind is not question.kind]
        of_same_kind = [busy for busy in others if busy.kind is question.kind]
        seats_taken = {busy.seat for busy in of_same_kind}
        return of_other_kind + (of_same_kind if len(seats_taken) >= capacity else [])

    async def _shown(self, caller: Caller, whose: Whose, busy: BusyTime) -> Conflict:
        appointment = await self.appointments.get(busy.appointment_id)
        visible = appointment is not None and may_see(caller, appointment)
        return Conflict(whose, busy.appointment_id if visible else None, busy.start, busy.end)

    async def _suggestions(self, question: Question, offer: Offer) -> list[Slot]:
        """The nearest free times that neither the ledger nor, if one was named, the patient's other visits refuse."""
        free = [*offer.slots, *offer.others]
        if not free:
            return []
        first, last = min(s.start for s in free), max(s.end + s.buffer for s in free)
        doctor_busy = await self.claims.of_doctor(question.doctor_id, first, last)
        patient_busy = await self.claims.of_patient(question.patient_id, first, last) if question.patient_id else []
        really_free = [
            slot
            for slot in free
            if not any(_blocks(busy, slot) for busy in doctor_busy)
            and not any(busy.start < slot.end and slot.start < busy.end for busy in patient_busy)
        ]
        return nearest(really_free, question.start, _MOST_ALTERNATIVES)


def _blocks(busy: BusyTime, slot: Slot) -> bool:
    """Whether a claim takes the slot's only seat. With more seats the doctor service has counted them already."""
    shared = slot.capacity > 1 and busy.kind is slot.kind
    return not shared and busy.start < slot.end + slot.buffer and slot.start < busy.end


def _check(caller: Caller, question: Question) -> None:
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
