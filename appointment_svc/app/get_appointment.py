"""Tells one appointment to those who may see it."""

from dataclasses import dataclass

from appointment_svc.app.access import visible
from appointment_svc.app.ports import Appointments
from appointment_svc.domain.appointment import Appointment
from chassis.context import Caller


@dataclass(frozen=True, slots=True)
class GetAppointment:
    """The use case."""

    appointments: Appointments

    async def __call__(self, caller: Caller, appointment_id: str) -> Appointment:
        """The appointment. Raises AppointmentNotFound, also for someone else's."""
        return visible(caller, await self.appointments.get(appointment_id))
