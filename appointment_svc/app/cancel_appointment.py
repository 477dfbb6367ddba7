"""Calls an appointment off and frees its time at once."""

from dataclasses import dataclass
from datetime import timedelta

from appointment_svc.app.access import may_see
from appointment_svc.app.ports import Appointments, Cancellation
from appointment_svc.domain.appointment import Appointment
from appointment_svc.domain.errors import AppointmentNotFound
from appointment_svc.domain.rules import MAX_REASON, Rules, check_text
from chassis.clock import Clock
from chassis.context import Role
from kernel.errors import EtagMismatch


@dataclass(frozen=True, slots=True)
class CancelAppointment:
    """The use case."""

    appointments: Appointments
    clock: Clock
    rules: Rules

    async def __call__(self, order: Cancellation, etag: str) -> bytes:
        """The rendered answer. Raises AppointmentNotFound, WrongState, TooLateToCancel, EtagMismatch."""
        check_text(order.reason, "reason", MAX_REASON)
        now = self.clock()
        # The notice protects the doctor's day from patients; a doctor who falls ill cannot give any.
        notice = self.rules.cancel_notice if order.caller.role is Role.PATIENT else timedelta.min

        def decide(current: Appointment) -> Appointment:
            if not may_see(order.caller, current):
                raise AppointmentNotFound.of()
            if etag and etag != current.etag:
                raise EtagMismatch("the appointment has changed; read it again")
            return current.cancelled(order.reason, now, notice)

        return await self.appointments.cancel(order, now, decide)
