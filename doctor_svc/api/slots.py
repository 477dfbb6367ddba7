"""Lists of free slots between the contract and the use cases."""

from datetime import datetime

from telemed.doctor.v1 import availability_pb2 as pb

from chassis.ids import parse_uuid
from chassis.paging import page_token, parts_of
from chassis.protos import to_date
from doctor_svc.api.convert import from_slot
from doctor_svc.api.fields import optional_duration, optional_kind
from doctor_svc.app.list_slots import SlotsPage, SlotsQuestion
from kernel.appointment_types import AppointmentType
from kernel.civil_time import require_aware


def to_slots_question(request: pb.ListSlotsRequest) -> SlotsQuestion:
    """Which days of which doctor, and which page."""
    parts = parts_of(request.page_token, aware_instant, AppointmentType)
    return SlotsQuestion(
        doctor_id=parse_uuid(request.doctor_id, "doctor_id"),
        first=to_date(request, "from_date", label="from"),
        last=to_date(request, "to_date", label="to"),
        kind=optional_kind(request.appointment_type, "appointment_type"),
        duration=optional_duration(request.duration_minutes),
        after=(parts[0], parts[1]) if parts else None,
        page_size=request.page_size,
        at_least_revision=request.at_least_revision,
    )


def from_slots_page(page: SlotsPage) -> pb.ListSlotsResponse:
    """One page of slots; its token is the start and the kind of its last one."""
    token = page_token(page.next[0].isoformat(), page.next[1].value) if page.next else ""
    return pb.ListSlotsResponse(timezone=page.timezone, slots=map(from_slot, page.slots), next_page_token=token)


def aware_instant(text: str) -> datetime:
    """An instant as a page token holds it. Raises ValueError."""
    instant = datetime.fromisoformat(text)
    require_aware(instant, "page_token")
    return instant
