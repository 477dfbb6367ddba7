"""Exceptions to a doctor's hours between the contract and the domain."""

from datetime import date, timedelta

from telemed.doctor.v1 import availability_pb2 as pb

from chassis.enum_map import EnumMap
from chassis.ids import parse_uuid
from chassis.paging import page_token, parts_of
from chassis.protos import (
    from_date,
    from_wall,
    is_midnight_end,
    to_date,
    to_optional_date,
    to_optional_wall,
    to_timestamp,
)
from doctor_svc.api.fields import kind_number, minutes_of, optional_kind
from doctor_svc.app.create_override import Outcome
from doctor_svc.app.list_overrides import OverridesPage, OverridesQuestion
from doctor_svc.domain.availability import WallBlock
from doctor_svc.domain.override_checks import daily_window
from doctor_svc.domain.overrides import BookedVisit, ExtraHours, Override, OverrideKind
from kernel.appointment_types import AppointmentType, default_buffer, default_duration
from kernel.errors import InvalidArgument

_KINDS = EnumMap(pb.OverrideKind.DESCRIPTOR, OverrideKind)
_FOR_EXTRA_HOURS = frozenset(
    {"appointment_type", "duration_minutes", "buffer_minutes", "max_concurrent_appointments", "overrides_blocks"}
)


def to_override(
    override: pb.AvailabilityOverride, clinic_buffer: timedelta, *, doctor_id: str = "", within: str = "override"
) -> Override:
    """An override with the defaults of its kind of visit; its id is given later. Raises InvalidArgument."""
    kind = _KINDS.required(override.kind, f"{within}.kind")
    if kind is not OverrideKind.EXTRA_HOURS:
        _require_no_extra(override, within)
    first = to_date(override, "start_date", label=f"{within}.start_date")
    return Override(
        override_id="",
        doctor_id=doctor_id,
        kind=kind,
        first_day=first,
        last_day=to_optional_date(override, "end_date", label=f"{within}.end_date") or first,
        window=_to_window(override, within),
        extra=_to_extra(override, clinic_buffer, within) if kind is OverrideKind.EXTRA_HOURS else None,
        note=override.note.strip(),
    )


def from_override(override: Override) -> pb.AvailabilityOverride:
    """An override as shown to the doctor and administrators."""
    window, extra = override.window, override.extra
    shown = pb.AvailabilityOverride(
        override_id=override.override_id,
        doctor_id=override.doctor_id,
        kind=_KINDS.number(override.kind),
        start_date=from_date(override.first_day),
        end_date=from_date(override.last_day),
        start_time=from_wall(window.start) if window else None,
        end_time=from_wall(window.end) if window else None,
        note=override.note,
    )
    if extra is not None:
        shown.appointment_type = kind_number(extra.kind)
        shown.duration_minutes, shown.buffer_minutes = minutes_of(extra.duration), minutes_of(extra.buffer)
        shown.max_concurrent_appointments, shown.overrides_blocks = extra.capacity, extra.overrides_blocks
    return shown


def to_new_override(request: pb.CreateOverrideRequest, clinic_buffer: timedelta) -> Override:
    """The override to add."""
    return to_override(request.override, clinic_buffer, doctor_id=parse_uuid(request.doctor_id, "doctor_id"))


def from_outcome(outcome: Outcome) -> pb.CreateOverrideResponse:
    """The override, and the visits that it hits."""
    return pb.CreateOverrideResponse(
        override=from_override(outcome.override),
        affected_visits=map(_from_visit, outcome.hit),
        affected_count=outcome.hits,
    )


def to_overrides_question(request: pb.ListOverridesRequest) -> OverridesQuestion:
    """Whose overrides from when on, and which page of them."""
    parts = parts_of(request.page_token, date.fromisoformat, lambda text: parse_uuid(text, "page_token"))
    return OverridesQuestion(
        doctor_id=parse_uuid(request.doctor_id, "doctor_id"),
        not_over_before=to_optional_date(request, "from_date", label="from"),
        after=(parts[0], parts[1]) if parts else None,
        page_size=request.page_size,
    )


def from_overrides_page(page: OverridesPage) -> pb.ListOverridesResponse:
    """One page of overrides."""
    token = page_token(page.next[0].isoformat(), page.next[1]) if page.next else ""
    return pb.ListOverridesResponse(overrides=map(from_override, page.overrides), next_page_token=token)


def _to_window(override: pb.AvailabilityOverride, within: str) -> WallBlock | None:
    until_midnight = is_midnight_end(override, "end_time")
    return daily_window(
        to_optional_wall(override, "start_time", label=f"{within}.start_time"),
        None if until_midnight else to_optional_wall(override, "end_time", label=f"{within}.end_time"),
        until_midnight=until_midnight,
    )


def _to_extra(override: pb.AvailabilityOverride, clinic_buffer: timedelta, within: str) -> ExtraHours:
    kind = optional_kind(override.appointment_type, f"{within}.appointment_type")
    kind = kind or AppointmentType.GENERAL_CONSULTATION
    minutes, has_buffer = override.duration_minutes, override.HasField("buffer_minutes")
    return ExtraHours(
        kind=kind,
        duration=timedelta(minutes=minutes) if minutes else default_duration(kind),
        buffer=timedelta(minutes=override.buffer_minutes) if has_buffer else default_buffer(kind, clinic_buffer),
        capacity=override.max_concurrent_appointments or 1,
        overrides_blocks=override.overrides_blocks,
    )


def _require_no_extra(override: pb.AvailabilityOverride, within: str) -> None:
    """Refuses what is said of extra hours about anything else."""
    for field, _ in override.ListFields():
        if field.name in _FOR_EXTRA_HOURS:
            raise InvalidArgument.of(f"{within}.{field.name}", "is for extra hours alone")


def _from_visit(visit: BookedVisit) -> pb.AffectedVisit:
    return pb.AffectedVisit(
        appointment_id=visit.appointment_id,
        start_time=to_timestamp(visit.start),
        end_time=to_timestamp(visit.end),
        appointment_type=kind_number(visit.kind),
    )
