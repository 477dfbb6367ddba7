"""Makes an appointment of a hold, as long as it has not run out."""

from dataclasses import dataclass

from appointment_svc.app.changing import guarded
from appointment_svc.app.ports import Appointments, ChangeOrder
from appointment_svc.app.time_ports import Holds


@dataclass(frozen=True, slots=True)
class ConfirmHold:
    """The use case."""

    appointments: Appointments
    holds: Holds

    async def __call__(self, order: ChangeOrder, etag: str) -> bytes:
        """The rendered answer. Raises AppointmentNotFound, WrongState, HoldExpired, EtagMismatch.

        Whoever asks before the hold runs out, by the database's clock, and finds it still held, has confirmed it,
        however long the row's lock was waited for.
        """
        asked = await self.holds.moment()
        decide = guarded(order, etag, lambda current: current.confirmed(asked))
        return await self.appointments.change(order, asked, decide)
