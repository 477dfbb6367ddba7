"""Tells everything that a service keeps of a patient, page by page, one kind of record after the other."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chassis.access_reader import AccessFilter, read_accesses
from chassis.accesses import note_access
from chassis.context import Caller
from chassis.db import Database
from chassis.list_accesses import as_told_to, require_own
from chassis.paging import page_length
from kernel.errors import InvalidArgument

# Records of one kind after a position (empty: from the first), at most so many, each with its own position.
Section = Callable[[Caller, str, str, int], Awaitable[Sequence[tuple[str, Any]]]]


@dataclass(frozen=True, slots=True)
class ExportPage:
    """Some records, each with the section that it is of, and where the next page begins; None after the last."""

    records: Sequence[tuple[str, Any]]
    next: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class ExportPatientData:
    """The use case. The sections come in their order."""

    sections: Mapping[str, Section]

    async def __call__(
        self, caller: Caller, patient_id: str, after: tuple[str, str] | None, page_size: int
    ) -> ExportPage:
        """One page. Raises PermissionDenied for somebody else's, InvalidArgument."""
        note_access(patient_id=patient_id)
        require_own(caller, patient_id)
        size = page_length(page_size)
        names = list(self.sections)
        first, position = after or (names[0], "")
        if first not in names:
            raise InvalidArgument.of("page_token", "must be the next_page_token of the page before")
        records: list[tuple[str, Any]] = []
        for name in names[names.index(first) :]:
            left = size - len(records)
            try:
                found = await self.sections[name](caller, patient_id, position, left + 1)
            except ValueError:  # no section of ours gave that position
                raise InvalidArgument.of("page_token", "must be the next_page_token of the page before") from None
            records += [(name, record) for _, record in found[:left]]
            if len(found) > left:
                last = found[left - 1][0] if left else position
                return ExportPage(records, (name, last))
            position = ""
        return ExportPage(records, None)


def accesses_in(database: Database) -> Section:
    """The section of who touched the patient's data, the latest first."""

    async def section(caller: Caller, patient_id: str, after: str, limit: int) -> Sequence[tuple[str, Any]]:
        wanted = AccessFilter(patient_id)
        found = await read_accesses(database, wanted, int(after) if after else None, limit)
        return [(str(one.number), as_told_to(caller, one)) for one in found]

    return section
