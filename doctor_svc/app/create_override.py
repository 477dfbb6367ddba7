"""Adds an exception to a doctor's hours, and tells which booked visits it hits."""

from dataclasses import dataclass, replace

from chassis.accesses import note_access
from chassis.clock import Clock
from chassis.context import Caller
from chassis.ids import uuid7
from doctor_svc.app.access import is_self_or_staff
from doctor_svc.app.ports import Unit
from doctor_svc.domain.errors import DoctorNotFound
from doctor_svc.domain.override_checks import require_valid
from doctor_svc.domain.overrides import BookedVisit, Override, closed_time
from kernel.civil_time import day_of, zone_named

_MOST_VISITS_TOLD = 500


@dataclass(frozen=True, slots=True)
class Outcome:
    """The override, without an id when nothing was stored, and the visits it hits: the first, and how many in all."""

    override: Override
    hit: tuple[BookedVisit, ...]
    hits: int


@dataclass(frozen=True, slots=True)
class CreateOverride:
    """The use case."""

    clock: Clock

    async def __call__(self, unit: Unit, caller: Caller, draft: Override, *, dry_run: bool) -> Outcome:
        """What was added, or would be. Raises InvalidArgument, DoctorNotFound."""
        now = self.clock()
        zone_name = await unit.zone_name_of(draft.doctor_id) if is_self_or_staff(caller, draft.doctor_id) else None
        if zone_name is None:
            raise DoctorNotFound
        zone = zone_named(zone_name)
        require_valid(draft, day_of(now, zone))
        hit, hits = await unit.booked_within(draft.doctor_id, closed_time(draft, zone), now, _MOST_VISITS_TOLD)
        for visit in hit:
            note_access(entity_id=visit.appointment_id, patient_id=visit.patient_id)
        if dry_run:
            return Outcome(draft, tuple(hit), hits)
        override = replace(draft, override_id=str(uuid7(now)))
        await unit.add_override(override, now)
        return Outcome(override, tuple(hit), hits)
