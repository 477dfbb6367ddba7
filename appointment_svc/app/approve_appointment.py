"""Lets a visit take place that its doctor wanted to approve first."""

from dataclasses import dataclass

from appointment_svc.app.changing import guarded
from appointment_svc.app.ports import Appointments, ChangeOrder
from chassis.clock import Clock


@dataclass(frozen=True, slots=True)
class ApproveAppointment:
    """The use case."""

    appointments: Appointments
    clock: Clock

    async def __call__(self, order: ChangeOrder, etag: str) -> bytes:
        """The rendered answer. Raises AppointmentNotFound, WrongState, EtagMismatch."""
        now = self.clock()
        return await self.appointments.change(order, now, guarded(order, etag, lambda current: current.approved(now)))
