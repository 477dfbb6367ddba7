"""Tells who touched a patient's data, page by page: the same use case in every service."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from chassis.access_reader import AccessFilter, KeptAccess, read_accesses
from chassis.accesses import note_access, note_query
from chassis.context import Caller, Role
from chassis.db import Database
from chassis.paging import page_length
from kernel.errors import InvalidArgument, PermissionDenied


@dataclass(frozen=True, slots=True)
class AccessPage:
    """Some accesses, and the number before which the next page begins; None after the last."""

    accesses: Sequence[KeptAccess]
    next: int | None


@dataclass(frozen=True, slots=True)
class ListAccesses:
    """The use case."""

    database: Database

    async def __call__(self, caller: Caller, wanted: AccessFilter, before: int | None, page_size: int) -> AccessPage:
        """One page, the latest first. Raises PermissionDenied for somebody else's, InvalidArgument."""
        note_access(patient_id=wanted.patient_id)
        note_query(break_glass_only=wanted.behind_glass)
        size = page_length(page_size)
        if wanted.patient_id is None:
            if caller.role is not Role.ADMIN:
                raise InvalidArgument.of("patient_id", "is required")
        else:
            require_own(caller, wanted.patient_id)
        found = await read_accesses(self.database, wanted, before, size + 1)
        following = found[size - 1].number if len(found) > size else None
        return AccessPage([as_told_to(caller, one) for one in found[:size]], following)


def require_own(caller: Caller, patient_id: str) -> None:
    """Refuses whoever asks for all that is kept of somebody else, but for administrators. Raises PermissionDenied."""
    if caller.role is not Role.ADMIN and caller.subject != patient_id:
        raise PermissionDenied("patients are told what is kept of themselves alone")


def as_told_to(caller: Caller, access: KeptAccess) -> KeptAccess:
    """A patient is told themselves and doctors by name; of administrators and programs the role alone."""
    if caller.role is not Role.PATIENT or access.actor_role in (Role.PATIENT, Role.DOCTOR):
        return access
    return replace(access, actor_subject="")
