"""Summaries of the next days between the contract and the use case."""

from telemed.doctor.v1 import insights_pb2 as pb

from chassis.ids import parse_uuid
from chassis.paging import page_token, parts_of
from chassis.protos import to_timestamp
from doctor_svc.api.slots import aware_instant
from doctor_svc.app.list_availability_summaries import SummariesPage
from doctor_svc.domain.summary import DoctorSummary, Position, Totals

_NEVER = "never"


def to_position(token: str) -> Position | None:
    """After whom the page begins; None for the first. Raises InvalidArgument for page_token."""
    parts = parts_of(
        token,
        lambda text: None if text == _NEVER else aware_instant(text),
        lambda text: parse_uuid(text, "page_token"),
    )
    return Position(*parts) if parts else None


def from_summaries_page(page: SummariesPage) -> pb.ListAvailabilitySummariesResponse:
    """One page of summaries; its token is the next free time and the id of its last doctor."""
    token = ""
    if page.next is not None:
        after = page.next.next_free
        token = page_token(after.isoformat() if after else _NEVER, page.next.doctor_id)
    return pb.ListAvailabilitySummariesResponse(
        summaries=map(_from_summary, page.doctors),
        next_page_token=token,
        refresh_time=to_timestamp(page.refresh_time) if page.refresh_time else None,
    )


def _from_summary(doctor: DoctorSummary) -> pb.AvailabilitySummary:
    return pb.AvailabilitySummary(
        doctor_id=doctor.doctor_id,
        doctor_first_name=doctor.first_name,
        doctor_last_name=doctor.last_name,
        specialty=doctor.specialty,
        timezone=doctor.timezone,
        next_free_time=to_timestamp(doctor.next_free) if doctor.next_free else None,
        next_7_days=_from_totals(doctor.week),
        next_14_days=_from_totals(doctor.fortnight),
    )


def _from_totals(totals: Totals) -> pb.AvailabilityTotals:
    return pb.AvailabilityTotals(
        offered_minutes=totals.offered_minutes,
        booked_minutes=totals.booked_minutes,
        free_slots=totals.free_slots,
    )
