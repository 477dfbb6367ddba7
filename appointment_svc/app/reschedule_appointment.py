"""Moves an appointment to another time of the same doctor."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from appointment_svc.app.access import notice_owed, visible
from appointment_svc.app.changing import guarded
from appointment_svc.app.explaining import Explainer
from appointment_svc.app.ports import Appointments, ChangeOrder, Doctors, MatchWish, NewTime
from appointment_svc.domain.appointment import Appointment
from appointment_svc.domain.errors import OutsideWorkingHours
from appointment_svc.domain.failing import failing_to_move
from appointment_svc.domain.offers import Offer
from appointment_svc.domain.rules import Rules, check_calendar, visit_length
from chassis.clock import Clock
from kernel.civil_time import day_of
from kernel.errors import InvalidArgument, Refusal
from kernel.slots import Slot


@dataclass(frozen=True, slots=True)
class Move:
    """To when, and for how many minutes; 0 keeps the length."""

    start: datetime
    duration_minutes: int
    etag: str

    def require_whole_minute(self) -> None:
        """Raises InvalidArgument for start_time, also where no calendar reaches."""
        check_calendar(self.start, "start_time")
        if self.start.second or self.start.microsecond:
            raise InvalidArgument.of("start_time", "must be a whole minute")


@dataclass(frozen=True, slots=True)
class RescheduleAppointment:
    """The use case."""

    appointments: Appointments
    doctors: Doctors
    explain: Explainer
    clock: Clock
    rules: Rules

    async def __call__(self, order: ChangeOrder, move: Move) -> bytes:
        """The rendered answer. Raises every refusal that the RPC documents."""
        move.require_whole_minute()
        # First of all: the rules below may no longer hold for a repeat of a move that was made.
        if (saved := await self.appointments.saved_answer(order)) is not None:
            return saved
        now = self.clock()
        current = await movable(self.appointments, order)
        notice = notice_owed(order.caller, self.rules.reschedule_notice)
        stuck = list(failing_to_move(current, now, notice))
        wish = match_wish(current, move)
        try:
            self.rules.check_notice(move.start, now)
            offers = await self.doctors.match(wish)
            slot = self._slot(offers, move, now)
        except Refusal as refusal:
            raise await self.explain(refusal, wish, moving=current.id, also=stuck) from None
        decide = guarded(order, move.etag, lambda locked: locked.rescheduled(slot, now, notice))
        day, most = day_of(slot.start, offers[0].zone), offers[0].max_daily_appointments
        new_time = NewTime(slot.capacity, day, self.rules.daily_limit, most)
        try:
            return await self.appointments.change(order, now, decide, new_time)
        except Refusal as refusal:
            raise await self.explain(refusal, wish, offers, moving=current.id, also=stuck) from None

    def _slot(self, offers: Sequence[Offer], move: Move, now: datetime) -> Slot:
        self.rules.check_start(move.start, now, offers[0].zone)
        slot = offers[0].exact
        if slot is None:
            raise OutsideWorkingHours.of()
        return slot


async def movable(appointments: Appointments, order: ChangeOrder) -> Appointment:
    """The appointment as it stands. Raises AppointmentNotFound, also for someone else's."""
    return visible(order.caller, await appointments.get(order.appointment_id))


def match_wish(current: Appointment, move: Move) -> MatchWish:
    """What the doctor service is asked for the move."""
    minutes = move.duration_minutes or int((current.end - current.start).total_seconds()) // 60
    return MatchWish(
        patient_id=current.patient_id,
        kind=current.kind,
        length=visit_length(current.kind, minutes),
        timezone=current.timezone,
        doctor_id=current.doctor_id,
        start=move.start,
    )
