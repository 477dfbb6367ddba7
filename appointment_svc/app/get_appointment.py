"""Tells one appointment to those who may see it."""

from dataclasses import dataclass

from appointment_svc.app.access import may_see
from appointment_svc.app.ports import Appointments
from appointment_svc.domain.appointment import Appointment
from appointment_svc.domain.errors import AppointmentNotFound
from chassis.context import Caller


@dataclass(frozen=True, slots=True)
class GetAppointment:
    """The use case."""

    appointments: Appointments

    async def __call__(self, caller: Caller, appointment_id: str) -> Appointment:
        """The appointment. Raises AppointmentNotFound, also for someone else's."""
        found = await self.appointments.get(appointment_id)
        if found is None or not may_see(caller, found):
            raise AppointmentNotFound.of()
        return found
