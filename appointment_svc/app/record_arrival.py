"""Notes that the patient or the doctor has come to a visit."""

from dataclasses import dataclass

from appointment_svc.app.changing import guarded
from appointment_svc.app.ports import Appointments, ChangeOrder
from appointment_svc.domain.appointment import Participant
from chassis.clock import Clock


@dataclass(frozen=True, slots=True)
class RecordArrival:
    """The use case. Who has come before is told again without a change."""

    appointments: Appointments
    clock: Clock

    async def __call__(self, order: ChangeOrder, who: Participant) -> bytes:
        """The rendered answer. Raises AppointmentNotFound, WrongState."""
        now = self.clock()
        return await self.appointments.change(order, now, guarded(order, "", lambda current: current.arrived(who, now)))
