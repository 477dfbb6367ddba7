"""What every change of an appointment asks first: is it the caller's, and is it still what the caller saw."""

from collections.abc import Callable

from appointment_svc.app.access import visible
from appointment_svc.app.ports import ChangeOrder
from appointment_svc.domain.appointment import Appointment
from kernel.errors import EtagMismatch

Rule = Callable[[Appointment], Appointment]


def guarded(order: ChangeOrder, etag: str, rule: Rule) -> Rule:
    """The rule, behind AppointmentNotFound for strangers and EtagMismatch for those who saw an older version."""

    def decide(current: Appointment) -> Appointment:
        visible(order.caller, current)
        if etag and etag != current.etag:
            raise EtagMismatch("the appointment has changed; read it again")
        return rule(current)

    return decide
