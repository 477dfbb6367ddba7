"""Requests of the contract as commands of the use cases; every refusal names the field."""

import re
from datetime import UTC, datetime
from typing import TypeAlias

from telemed.appointment.v1 import appointment_pb2
from telemed.appointment.v1 import appointment_service_pb2 as pb
from telemed.type.v1 import scheduling_pb2

from appointment_svc.app.book import ExactWish
from appointment_svc.app.booking import Visit
from appointment_svc.app.check_conflicts import Question
from appointment_svc.app.ports import ListFilter, PagePosition, RequestKey
from appointment_svc.app.smart_book import SmartWish
from appointment_svc.domain.appointment import Participant
from appointment_svc.domain.overriding import OverridableRule, RuleOverride
from appointment_svc.domain.rules import visit_length
from chassis.enum_map import EnumMap
from chassis.ids import parse_optional_uuid, parse_uuid
from chassis.paging import page_token, parts_of
from chassis.protos import (
    fingerprint,
    is_midnight_end,
    to_instant,
    to_optional_date,
    to_optional_instant,
    to_optional_wall,
)
from kernel.appointment_status import AppointmentStatus
from kernel.appointment_types import AppointmentType
from kernel.civil_time import require_aware, zone_named
from kernel.errors import InvalidArgument

KINDS = EnumMap(scheduling_pb2.AppointmentType.DESCRIPTOR, AppointmentType)
OVERRIDABLE = EnumMap(appointment_pb2.OverridableRule.DESCRIPTOR, OverridableRule)
PARTICIPANTS = EnumMap(appointment_pb2.Participant.DESCRIPTOR, Participant)
STATUSES = EnumMap(appointment_pb2.AppointmentStatus.DESCRIPTOR, AppointmentStatus)
Change: TypeAlias = (
    pb.CancelAppointmentRequest
    | pb.RescheduleAppointmentRequest
    | pb.StartAppointmentRequest
    | pb.CompleteAppointmentRequest
    | pb.MarkNoShowRequest
    | pb.ConfirmHoldRequest
    | pb.ApproveAppointmentRequest
    | pb.RecordArrivalRequest
    | pb.RateVisitRequest
)
ExactRequest: TypeAlias = pb.BookRequest | pb.HoldSlotRequest
Overridable: TypeAlias = pb.BookRequest | pb.RescheduleAppointmentRequest | pb.CancelAppointmentRequest
_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,255}")


def request_key(request: pb.SmartBookRequest | ExactRequest | Change) -> RequestKey | None:
    """The request_id with the fingerprint of the request; None without one."""
    if not request.request_id:
        return None
    if not _REQUEST_ID.fullmatch(request.request_id):
        raise InvalidArgument.of("request_id", "must be 1 to 255 printable ASCII characters without spaces")
    return RequestKey(request.request_id, fingerprint(request))


def visit_of(request: pb.SmartBookRequest | ExactRequest) -> Visit:
    """What every way to book says of the visit."""
    kind = KINDS.required(request.appointment_type, "appointment_type")
    zone_named(request.timezone)
    return Visit(
        patient_id=parse_uuid(request.patient_id, "patient_id"),
        kind=kind,
        length=visit_length(kind, request.duration_minutes),
        timezone=request.timezone or "UTC",
        specialty_required=request.specialty_required.strip(),
        patient_notes=request.patient_notes,
    )


def smart_wish(request: pb.SmartBookRequest) -> SmartWish:
    """The wish of a SmartBook."""
    allow_history = request.allow_history_prioritization if request.HasField("allow_history_prioritization") else True
    # 24:00 as the end of the window is the end of the day, which is what no end means too.
    ends_at_midnight = is_midnight_end(request, "preferred_time_end")
    return SmartWish(
        visit=visit_of(request),
        preferred_date=to_optional_date(request, "preferred_date"),
        preferred_start=to_optional_wall(request, "preferred_time_start"),
        preferred_end=None if ends_at_midnight else to_optional_wall(request, "preferred_time_end"),
        allow_history=allow_history,
        accept_outside_window=request.accept_outside_window,
    )


def exact_wish(request: ExactRequest) -> ExactWish:
    """The wish of a Book or a HoldSlot."""
    return ExactWish(
        visit=visit_of(request),
        doctor_id=parse_optional_uuid(request.doctor_id, "doctor_id"),
        start=to_instant(request, "appointment_date"),
    )


def override_of(request: Overridable, allowed: frozenset[OverridableRule]) -> RuleOverride | None:
    """The rules that the caller sets aside, of those that the RPC allows; None when none are."""
    if not request.HasField("override"):
        return None
    rules = [OVERRIDABLE.required(number, "override.rules") for number in request.override.rules]
    return RuleOverride.of(rules, request.override.reason, allowed)


def list_filter(request: pb.ListAppointmentsRequest) -> ListFilter:
    """The filter of a list."""
    return ListFilter(
        patient_id=parse_optional_uuid(request.patient_id, "patient_id"),
        doctor_id=parse_optional_uuid(request.doctor_id, "doctor_id"),
        status=STATUSES.optional(request.status, "status"),
        kind=KINDS.optional(request.appointment_type, "appointment_type"),
        since=to_optional_instant(request, "from_time", label="from"),
        until=to_optional_instant(request, "to_time", label="to"),
    )


def question_of(request: pb.CheckConflictsRequest) -> Question:
    """The question of a CheckConflicts."""
    kind = KINDS.optional(request.appointment_type, "appointment_type")
    return Question(
        doctor_id=parse_uuid(request.doctor_id, "doctor_id"),
        start=to_instant(request, "start_time"),
        end=to_instant(request, "end_time"),
        kind=kind or AppointmentType.GENERAL_CONSULTATION,
        exclude_appointment_id=parse_optional_uuid(request.exclude_appointment_id, "exclude_appointment_id"),
        patient_id=parse_optional_uuid(request.patient_id, "patient_id"),
    )


def page_token_of(position: PagePosition | None) -> str:
    """Where the next page begins, as an opaque token; empty after the last page."""
    return page_token(position.start.isoformat(), position.appointment_id) if position else ""


def page_position(token: str) -> PagePosition | None:
    """Where a page token points. Raises InvalidArgument for one that no answer of ours gave."""
    parts = parts_of(token, _instant, lambda text: parse_uuid(text, "page_token"))
    return PagePosition(*parts) if parts else None


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    require_aware(instant, "start")
    return instant.astimezone(UTC)
