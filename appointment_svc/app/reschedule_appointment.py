"""Moves an appointment to another time of the same doctor."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from appointment_svc.app.access import may_see
from appointment_svc.app.changing import guarded
from appointment_svc.app.ports import Appointments, ChangeOrder, Doctors, MatchWish, NewTime
from appointment_svc.domain.appointment import Appointment
from appointment_svc.domain.errors import AppointmentNotFound, DoctorDayFull, OutsideWorkingHours, SlotTaken, TooSoon
from appointment_svc.domain.offers import Candidate, Offer, alternatives, off_the_day
from appointment_svc.domain.rules import Rules, visit_length
from chassis.clock import Clock
from chassis.context import Role
from kernel.civil_time import day_of
from kernel.errors import InvalidArgument
from kernel.slots import Slot


@dataclass(frozen=True, slots=True)
class Move:
    """To when, and for how many minutes; 0 keeps the length."""

    start: datetime
    duration_minutes: int
    etag: str


@dataclass(frozen=True, slots=True)
class RescheduleAppointment:
    """The use case."""

    appointments: Appointments
    doctors: Doctors
    clock: Clock
    rules: Rules

    async def __call__(self, order: ChangeOrder, move: Move) -> bytes:
        """The rendered answer. Raises every refusal that the RPC documents."""
        if move.start.second or move.start.microsecond:
            raise InvalidArgument.of("start_time", "must be a whole minute")
        # First of all: the rules below may no longer hold for a repeat of a move that was made.
        if (saved := await self.appointments.saved_answer(order)) is not None:
            return saved
        now = self.clock()
        current = await self.appointments.get(order.appointment_id)
        if current is None or not may_see(order.caller, current):
            raise AppointmentNotFound.of()
        offers = await self._offers(current, move, now)
        slot = self._slot(offers, move, now)
        # As with a cancellation, the notice is what patients owe.
        notice = self.rules.reschedule_notice if order.caller.role is Role.PATIENT else timedelta.min
        decide = guarded(order, move.etag, lambda locked: locked.rescheduled(slot, now, notice))
        day, most = day_of(slot.start, offers[0].zone), offers[0].max_daily_appointments
        new_time = NewTime(slot.capacity, day, self.rules.daily_limit, most)
        try:
            return await self.appointments.change(order, now, decide, new_time)
        except DoctorDayFull:
            elsewhere = alternatives(off_the_day(offers, offers[0].doctor_id, day))
            raise DoctorDayFull.of(day, most, elsewhere) from None
        except SlotTaken:
            raise SlotTaken.of(alternatives(offers, Candidate(offers[0], slot))) from None

    async def _offers(self, current: Appointment, move: Move, now: datetime) -> Sequence[Offer]:
        if move.start - now < self.rules.min_advance:
            raise TooSoon.of(move.start, now, self.rules.min_advance)
        minutes = move.duration_minutes or int((current.end - current.start).total_seconds()) // 60
        wish = MatchWish(
            patient_id=current.patient_id,
            kind=current.kind,
            length=visit_length(current.kind, minutes),
            timezone=current.timezone,
            doctor_id=current.doctor_id,
            start=move.start,
        )
        return await self.doctors.match(wish)

    def _slot(self, offers: Sequence[Offer], move: Move, now: datetime) -> Slot:
        self.rules.check_start(move.start, now, offers[0].zone)
        slot = offers[0].exact
        if slot is None:
            raise OutsideWorkingHours.of(alternatives(offers))
        return slot
