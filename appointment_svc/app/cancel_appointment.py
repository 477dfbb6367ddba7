"""Calls an appointment off and frees its time at once."""

from dataclasses import dataclass, replace
from datetime import timedelta

from appointment_svc.app.access import notice_owed, require_may_override
from appointment_svc.app.changing import guarded
from appointment_svc.app.ports import Appointments, ChangeOrder
from appointment_svc.domain.appointment import Appointment
from appointment_svc.domain.failing import failing_to_cancel, told_in_full
from appointment_svc.domain.overriding import RuleOverride
from appointment_svc.domain.rules import MAX_REASON, Rules, check_text
from chassis.clock import Clock
from kernel.errors import Refusal


@dataclass(frozen=True, slots=True)
class CancelAppointment:
    """The use case."""

    appointments: Appointments
    clock: Clock
    rules: Rules

    async def __call__(self, order: ChangeOrder, etag: str, reason: str, override: RuleOverride | None = None) -> bytes:
        """The rendered answer. Raises AppointmentNotFound, WrongState, TooLateToCancel, EtagMismatch."""
        check_text(reason, "reason", MAX_REASON)
        if override is not None:
            require_may_override(order.caller)
        now = self.clock()
        notice = notice_owed(order.caller, self.rules.cancel_notice)

        def failing(current: Appointment) -> list[Refusal]:
            return list(failing_to_cancel(current, now, notice))

        def called_off(current: Appointment) -> Appointment:
            broken = failing(current)
            if standing := override.standing(broken) if override else broken:
                raise told_in_full(standing[0], standing)
            return current.cancelled(reason, now, timedelta.min)

        if override is not None:
            order = replace(order, overridden=lambda was: override.used_for(failing(was)))
        return await self.appointments.change(order, now, guarded(order, etag, called_off))
