"""Rules of availability between the contract and the domain."""

from collections.abc import Callable, Iterable
from datetime import timedelta

from google.protobuf.field_mask_pb2 import FieldMask
from telemed.doctor.v1 import availability_pb2, doctor_pb2
from telemed.doctor.v1 import doctor_service_pb2 as api

from chassis.ids import parse_uuid
from chassis.protos import from_date, from_wall, is_midnight_end, to_optional_date, to_optional_wall
from doctor_svc.api.fields import kind_number, minutes_of, optional_kind
from doctor_svc.app.list_availability_rules import RulesPage
from doctor_svc.app.update_availability import RuleChange
from doctor_svc.domain.availability import AvailabilityRule, WallBlock
from doctor_svc.domain.rule_checks import DayPart, wall_block
from kernel.appointment_types import AppointmentType, default_buffer, default_duration
from kernel.errors import InvalidArgument

_FIELDS = doctor_pb2.AvailabilityRule.DESCRIPTOR.fields_by_name
# A body that was read before it is sent back has them; they never change by hand.
_OUTPUT_ONLY = frozenset({"rule_id", "doctor_id", "etag"})
_EVERYTHING = "*"


def to_new_rule(request: api.SetAvailabilityRequest, clinic_buffer: timedelta) -> AvailabilityRule:
    """The rule to add; its id is given later."""
    return to_rule(request.rule, clinic_buffer, doctor_id=parse_uuid(request.doctor_id, "doctor_id"))


def to_rule(
    rule: doctor_pb2.AvailabilityRule,
    clinic_buffer: timedelta,
    *,
    rule_id: str = "",
    doctor_id: str = "",
    within: str = "rule",
) -> AvailabilityRule:
    """A rule with the defaults of its kind where a field is left out. Raises InvalidArgument for `within`.field."""
    kind = optional_kind(rule.appointment_type, f"{within}.appointment_type") or AppointmentType.GENERAL_CONSULTATION
    has_buffer = rule.HasField("buffer_minutes")
    return AvailabilityRule(
        rule_id=rule_id,
        doctor_id=doctor_id,
        day_of_week=rule.day_of_week if rule.HasField("day_of_week") else None,
        specific_date=to_optional_date(rule, "specific_date", label=f"{within}.specific_date"),
        kind=kind,
        duration=timedelta(minutes=rule.duration_minutes) if rule.duration_minutes else default_duration(kind),
        buffer=timedelta(minutes=rule.buffer_minutes) if has_buffer else default_buffer(kind, clinic_buffer),
        capacity=rule.max_concurrent_appointments or 1,
        morning=_to_block(rule, "morning", within),
        afternoon=_to_block(rule, "afternoon", within),
        notice=timedelta(minutes=rule.min_notice_minutes) if rule.HasField("min_notice_minutes") else None,
        horizon_days=rule.max_advance_days if rule.HasField("max_advance_days") else None,
    )


def from_rule(rule: AvailabilityRule) -> doctor_pb2.AvailabilityRule:
    """A rule as shown."""
    shown = doctor_pb2.AvailabilityRule(
        rule_id=rule.rule_id,
        doctor_id=rule.doctor_id,
        day_of_week=rule.day_of_week,
        specific_date=from_date(rule.specific_date) if rule.specific_date else None,
        appointment_type=kind_number(rule.kind),
        duration_minutes=minutes_of(rule.duration),
        buffer_minutes=minutes_of(rule.buffer),
        max_concurrent_appointments=rule.capacity,
        min_notice_minutes=None if rule.notice is None else minutes_of(rule.notice),
        max_advance_days=rule.horizon_days,
        etag=str(rule.version),
    )
    for part, block in (("morning", rule.morning), ("afternoon", rule.afternoon)):
        if block is not None:
            getattr(shown, f"{part}_start_time").CopyFrom(from_wall(block.start))
            getattr(shown, f"{part}_end_time").CopyFrom(from_wall(block.end))
    return shown


def to_rule_change(request: availability_pb2.UpdateAvailabilityRequest, clinic_buffer: timedelta) -> RuleChange:
    """Which rule becomes what: the named fields take the new values, or their defaults where they have none."""
    asked, named = request.rule, _named_fields(request.update_mask, request.rule)

    def apply(before: AvailabilityRule) -> AvailabilityRule:
        changed = _without(from_rule(before), named)
        changed.MergeFrom(_without(asked, frozenset(_FIELDS) - named))
        return to_rule(changed, clinic_buffer, rule_id=before.rule_id, doctor_id=before.doctor_id)

    return RuleChange(
        doctor_id=parse_uuid(request.doctor_id, "doctor_id"),
        rule_id=parse_uuid(request.rule_id, "rule_id"),
        version=asked.etag or None,
        apply=apply,
    )


def from_rules_page(page: RulesPage) -> availability_pb2.ListAvailabilityRulesResponse:
    """One page of rules; its token is the id of its last rule."""
    return availability_pb2.ListAvailabilityRulesResponse(
        rules=map(from_rule, page.rules), next_page_token=page.next or ""
    )


def _named_fields(mask: FieldMask, rule: doctor_pb2.AvailabilityRule) -> frozenset[str]:
    """The fields to change. Raises InvalidArgument for update_mask."""
    paths = frozenset(mask.paths)
    if _EVERYTHING in paths:
        return frozenset(_FIELDS) - _OUTPUT_ONLY
    unknown = sorted(paths - frozenset(_FIELDS))
    if unknown:
        raise InvalidArgument.of("update_mask", f"{unknown[0]} is not a field of the rule")
    return (paths or frozenset(field.name for field, _ in rule.ListFields())) - _OUTPUT_ONLY


def _without(rule: doctor_pb2.AvailabilityRule, names: Iterable[str]) -> doctor_pb2.AvailabilityRule:
    """A copy in which the fields of those names have no value."""
    copy = doctor_pb2.AvailabilityRule()
    copy.CopyFrom(rule)
    clear: Callable[[str], None] = copy.ClearField  # type: ignore[assignment]  # the names come from the descriptor
    for name in names:
        clear(name)
    return copy


def _to_block(rule: doctor_pb2.AvailabilityRule, part: DayPart, within: str) -> WallBlock | None:
    start, end = f"{part}_start_time", f"{part}_end_time"
    until_midnight = is_midnight_end(rule, end)
    return wall_block(
        part,
        to_optional_wall(rule, start, label=f"{within}.{start}"),
        None if until_midnight else to_optional_wall(rule, end, label=f"{within}.{end}"),
        until_midnight=until_midnight,
    )
