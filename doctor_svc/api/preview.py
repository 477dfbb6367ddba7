"""A doctor as imagined between the contract and the domain; every refusal names the item of the list."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta

from telemed.appointment.v1 import appointment_pb2
from telemed.doctor.v1 import availability_pb2 as pb

from chassis.enum_map import EnumMap
from chassis.protos import to_date, to_instant, to_optional_date, to_optional_instant
from doctor_svc.api.convert import from_slot
from doctor_svc.api.fields import optional_duration, optional_kind
from doctor_svc.api.overrides import to_override
from doctor_svc.api.rules import to_rule
from doctor_svc.domain import override_checks, rule_checks
from doctor_svc.domain.availability import AvailabilityRule
from doctor_svc.domain.doctor import MAX_DAILY_APPOINTMENTS
from doctor_svc.domain.errors import RuleOverlaps
from doctor_svc.domain.overrides import Override
from doctor_svc.domain.preview import Scene, seated
from doctor_svc.domain.window import CALENDAR_YEARS, BookingPolicy
from kernel.appointment_status import OCCUPYING, AppointmentStatus
from kernel.appointment_types import AppointmentType
from kernel.civil_time import zone_named
from kernel.errors import InvalidArgument, Violation
from kernel.slots import Slot

MOST_RULES = 200
MOST_OVERRIDES = 200
MOST_VISITS = 1000
_STATUSES = EnumMap(appointment_pb2.AppointmentStatus.DESCRIPTOR, AppointmentStatus)
_MINUTE = timedelta(minutes=1)
Occupied = tuple[datetime, datetime, AppointmentType]


def to_scene(request: pb.PreviewAvailabilityRequest, clinic: BookingPolicy, now: datetime) -> Scene:
    """The doctor as imagined and the question; what is not said is as the clinic has it. Raises InvalidArgument."""
    first = to_date(request, "from_date", label="from")
    return Scene(
        zone=zone_named(request.timezone),
        rules=tuple(_rules(request, clinic.clinic_buffer)),
        overrides=tuple(_overrides(request, clinic.clinic_buffer)),
        busy=seated(_occupied(request)),
        now=_within_calendar(to_optional_instant(request, "now") or now, "now"),
        policy=_policy(request, clinic),
        first=first,
        last=to_optional_date(request, "to_date", label="to") or first,
        kind=optional_kind(request.appointment_type, "appointment_type"),
        duration=optional_duration(request.duration_minutes),
        max_daily=_within(request.max_daily_appointments, MAX_DAILY_APPOINTMENTS, "max_daily_appointments"),
    )


def from_slots(slots: Iterable[Slot]) -> pb.PreviewAvailabilityResponse:
    """What would be free."""
    return pb.PreviewAvailabilityResponse(slots=map(from_slot, slots))


def _rules(request: pb.PreviewAvailabilityRequest, clinic_buffer: timedelta) -> Iterator[AvailabilityRule]:
    _require_at_most(request.rules, MOST_RULES, "rules")
    before: list[AvailabilityRule] = []
    for index, given in enumerate(request.rules):
        with _told_as("rule", f"rules[{index}]"):
            rule = to_rule(given, clinic_buffer, rule_id=str(index))
            rule_checks.require_valid(rule)
            rule_checks.require_apart(rule, before)
        before.append(rule)
        yield rule


def _overrides(request: pb.PreviewAvailabilityRequest, clinic_buffer: timedelta) -> Iterator[Override]:
    _require_at_most(request.overrides, MOST_OVERRIDES, "overrides")
    for index, given in enumerate(request.overrides):
        with _told_as("override", f"overrides[{index}]"):
            override = to_override(given, clinic_buffer)
            # The moment is imagined too, so no day is over.
            override_checks.require_valid(override, date.min)
        yield override


def _occupied(request: pb.PreviewAvailabilityRequest) -> Iterator[Occupied]:
    _require_at_most(request.visits, MOST_VISITS, "visits")
    for index, visit in enumerate(request.visits):
        name = f"visits[{index}]"
        start = _within_calendar(to_instant(visit, "start_time", label=f"{name}.start_time"), f"{name}.start_time")
        end = _within_calendar(to_instant(visit, "end_time", label=f"{name}.end_time"), f"{name}.end_time")
        if end <= start:
            raise InvalidArgument.of(f"{name}.end_time", "must be after start_time")
        kind = optional_kind(visit.appointment_type, f"{name}.appointment_type")
        buffer = _within(visit.buffer_minutes, rule_checks.MAX_BUFFER // _MINUTE, f"{name}.buffer_minutes")
        status = _STATUSES.optional(visit.status, f"{name}.status") or AppointmentStatus.CONFIRMED
        if status in OCCUPYING:
            yield start, end + buffer * _MINUTE, kind or AppointmentType.GENERAL_CONSULTATION


def _policy(request: pb.PreviewAvailabilityRequest, clinic: BookingPolicy) -> BookingPolicy:
    notice, horizon = clinic.notice, clinic.horizon_days
    if request.HasField("min_notice_minutes"):
        most = rule_checks.MAX_NOTICE // _MINUTE
        notice = _within(request.min_notice_minutes, most, "min_notice_minutes") * _MINUTE
    if request.HasField("max_advance_days"):
        horizon = _within(request.max_advance_days, rule_checks.MAX_HORIZON_DAYS, "max_advance_days")
    return replace(clinic, notice=notice, horizon_days=horizon)


def _within(number: int, most: int, field: str) -> int:
    if not 0 <= number <= most:
        raise InvalidArgument.of(field, f"must be 0 to {most}")
    return number


def _within_calendar(instant: datetime, field: str) -> datetime:
    # The horizon reaches years past `now`, and must stay within what a calendar can say.
    if not CALENDAR_YEARS.start <= instant.year <= CALENDAR_YEARS.stop - 4:
        raise InvalidArgument.of(field, "must lie between the years 1970 and 9995")
    return instant


def _require_at_most(items: Sequence[object], most: int, field: str) -> None:
    if len(items) > most:
        raise InvalidArgument.of(field, f"must be at most {most}")


@contextmanager
def _told_as(noun: str, name: str) -> Iterator[None]:
    """Lets refusals of one item name its place in the list."""
    try:
        yield
    except (InvalidArgument, RuleOverlaps) as refused:
        violations = tuple(
            Violation(name + violation.field.removeprefix(noun), violation.description)
            for violation in refused.violations
        )
        message = "; ".join(f"{violation.field}: {violation.description}" for violation in violations)
        raise InvalidArgument(message, violations=violations) from None
