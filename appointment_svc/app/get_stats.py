"""Counts visits and what became of them, for those whose visits they are and for the staff."""

from dataclasses import dataclass, replace
from typing import Protocol

from appointment_svc.app.access import reader_for, require_own
from appointment_svc.app.ports import ListFilter
from appointment_svc.domain.statistics import VisitStats
from chassis.accesses import note_access
from chassis.context import Caller
from kernel.errors import InvalidArgument


class Statistics(Protocol):
    """The figures of visits."""

    async def visits(self, wanted: ListFilter) -> VisitStats:
        """The figures of the visits that a filter chooses."""
        ...


@dataclass(frozen=True, slots=True)
class GetStats:
    """The use case."""

    statistics: Statistics

    async def __call__(self, caller: Caller, wanted: ListFilter) -> VisitStats:
        """The figures. Raises PermissionDenied for somebody else's, and InvalidArgument."""
        if wanted.since is not None and wanted.until is not None and wanted.until <= wanted.since:
            raise InvalidArgument.of("to", "must be after from")
        own = reader_for(caller)
        require_own(own, wanted.patient_id, wanted.doctor_id, "figures")
        asked = replace(
            wanted, patient_id=own.patient_id or wanted.patient_id, doctor_id=own.doctor_id or wanted.doctor_id
        )
        note_access(patient_id=asked.patient_id)
        return await self.statistics.visits(asked)
