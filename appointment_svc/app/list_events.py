"""Tells the history of an appointment to those who may see it, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from appointment_svc.app.access import visible
from appointment_svc.app.ports import Appointments
from appointment_svc.domain.history import Event
from chassis.context import Caller, Role
from chassis.paging import page_length


class History(Protocol):
    """The events of appointments."""

    async def events(self, appointment_id: str, after: int, limit: int) -> list[Event]:
        """Events of one appointment with greater numbers than `after`, the oldest first, at most `limit`."""
        ...


@dataclass(frozen=True, slots=True)
class EventPage:
    """Some events, and the number after which the next page begins; None after the last."""

    events: Sequence[Event]
    next: int | None


@dataclass(frozen=True, slots=True)
class ListEvents:
    """The use case."""

    appointments: Appointments
    history: History

    async def __call__(self, caller: Caller, appointment_id: str, after: int, page_size: int) -> EventPage:
        """One page, the oldest first. Raises AppointmentNotFound, also for someone else's."""
        size = page_length(page_size)
        visible(caller, await self.appointments.get(appointment_id))
        events = await self.history.events(appointment_id, after, size + 1)
        following = events[size - 1].number if len(events) > size else None
        if caller.role is Role.PATIENT:
            events = [event.as_told_to_patient() for event in events]
        return EventPage(events[:size], following)
