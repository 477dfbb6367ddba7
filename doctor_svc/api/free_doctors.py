"""The search across doctors between the contract and its use case."""

from telemed.doctor.v1 import availability_pb2 as pb

from chassis.ids import parse_uuid
from chassis.paging import page_token, parts_of
from chassis.protos import to_date
from doctor_svc.api.convert import from_slot
from doctor_svc.api.fields import optional_duration, optional_kind, specialty_wish
from doctor_svc.api.slots import aware_instant
from doctor_svc.app.search_availability import FreeDoctor, SearchPage, SearchQuestion
from doctor_svc.domain.slots import Visit
from doctor_svc.domain.window import stretch_of_days
from kernel.appointment_types import AppointmentType
from kernel.civil_time import zone_named


def to_search_question(request: pb.SearchAvailabilityRequest) -> SearchQuestion:
    """Which day, for which visit, and which page."""
    parts = parts_of(request.page_token, aware_instant, lambda text: parse_uuid(text, "page_token"))
    kind = optional_kind(request.appointment_type, "appointment_type") or AppointmentType.GENERAL_CONSULTATION
    day = to_date(request, "date")
    stretch_of_days(day, day, "date")
    return SearchQuestion(
        day=day,
        zone=zone_named(request.timezone),
        visit=Visit(kind, optional_duration(request.duration_minutes)),
        specialty=specialty_wish(request.specialty, "specialty"),
        after=(parts[0], parts[1]) if parts else None,
        page_size=request.page_size,
        at_least_revision=request.at_least_revision,
    )


def from_search_page(page: SearchPage) -> pb.SearchAvailabilityResponse:
    """One page of doctors; its token is the first slot and the id of its last one."""
    token = page_token(page.next[0].isoformat(), page.next[1]) if page.next else ""
    return pb.SearchAvailabilityResponse(doctors=map(_from_doctor, page.doctors), next_page_token=token)


def _from_doctor(doctor: FreeDoctor) -> pb.DoctorAvailability:
    profile = doctor.profile
    return pb.DoctorAvailability(
        doctor_id=profile.doctor_id,
        doctor_first_name=profile.first_name,
        doctor_last_name=profile.last_name,
        specialty=profile.specialty,
        timezone=profile.timezone,
        slots=map(from_slot, doctor.slots),
        free_slots=doctor.free,
    )
