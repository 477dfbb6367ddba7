"""Lists the appointments that a caller may see, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass

from appointment_svc.app.access import narrowed
from appointment_svc.app.ports import Appointments, ListFilter, PagePosition
from appointment_svc.domain.appointment import Appointment
from chassis.accesses import note_access, note_query
from chassis.context import Caller
from chassis.paging import page_length

_LARGEST_SIZE = 500


@dataclass(frozen=True, slots=True)
class Page:
    """Some appointments, and where the next page begins; None after the last."""

    appointments: Sequence[Appointment]
    next: PagePosition | None


@dataclass(frozen=True, slots=True)
class ListAppointments:
    """The use case."""

    appointments: Appointments

    async def __call__(self, caller: Caller, wanted: ListFilter, after: PagePosition | None, page_size: int) -> Page:
        """One page, the latest start first; empty when the filter leaves nothing that the caller may see."""
        size = page_length(page_size, largest=_LARGEST_SIZE)
        allowed = narrowed(caller, wanted)
        if allowed is None:
            return Page((), None)
        found = await self.appointments.page(allowed, after, size + 1)
        note_access(patient_id=allowed.patient_id)
        note_query(
            doctor_id=allowed.doctor_id,
            status=allowed.status,
            kind=allowed.kind,
            since=allowed.since,
            until=allowed.until,
        )
        for one in found[:size]:
            note_access(entity_id=one.id, patient_id=one.patient_id)
        if len(found) <= size:
            return Page(found, None)
        last = found[size - 1]
        return Page(found[:size], PagePosition(last.start, last.id))
