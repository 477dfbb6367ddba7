"""Calls an appointment off and frees its time at once."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from appointment_svc.app.changing import guarded
from appointment_svc.app.ports import Appointments, ChangeOrder
from appointment_svc.domain.appointment import Appointment
from appointment_svc.domain.failing import failing_to_cancel, told_in_full
from appointment_svc.domain.rules import MAX_REASON, Rules, check_text
from chassis.clock import Clock
from chassis.context import Role


@dataclass(frozen=True, slots=True)
class CancelAppointment:
    """The use case."""

    appointments: Appointments
    clock: Clock
    rules: Rules

    async def __call__(self, order: ChangeOrder, etag: str, reason: str) -> bytes:
        """The rendered answer. Raises AppointmentNotFound, WrongState, TooLateToCancel, EtagMismatch."""
        check_text(reason, "reason", MAX_REASON)
        now = self.clock()
        # The notice protects the doctor's day from patients; a doctor who falls ill cannot give any.
        notice = self.rules.cancel_notice if order.caller.role is Role.PATIENT else timedelta.min
        decide = guarded(order, etag, lambda current: _called_off(current, reason, now, notice))
        return await self.appointments.change(order, now, decide)


def _called_off(current: Appointment, reason: str, now: datetime, notice: timedelta) -> Appointment:
    if failing := list(failing_to_cancel(current, now, notice)):
        raise told_in_full(failing[0], failing)
    return current.cancelled(reason, now, timedelta.min)
