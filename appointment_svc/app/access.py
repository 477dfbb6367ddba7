"""Whose appointments a caller may make, see and change."""

from datetime import timedelta

from appointment_svc.app.ports import FeedReader, ListFilter
from appointment_svc.domain.appointment import Appointment
from appointment_svc.domain.diary import Claim
from appointment_svc.domain.errors import AppointmentNotFound
from chassis.accesses import note_access
from chassis.context import Caller, Role
from kernel.errors import InvalidArgument, PermissionDenied


def may_see(caller: Caller, appointment: Appointment | Claim) -> bool:
    """Patients and doctors see their own; staff see all, as does a doctor who breaks the glass."""
    if caller.sees_all:
        return True
    own = appointment.patient_id if caller.role is Role.PATIENT else appointment.doctor_id
    return own == caller.subject


def visible(caller: Caller, found: Appointment | None) -> Appointment:
    """What was found, for whoever may see it; that it was touched is noted in any case. Raises AppointmentNotFound."""
    if found is not None:
        note_access(entity_id=found.id, patient_id=found.patient_id)
        if may_see(caller, found):
            return found
    raise AppointmentNotFound.of()


def require_may_book(caller: Caller, patient_id: str, doctor_id: str | None) -> None:
    """Patients book for themselves, doctors book patients with themselves, staff book for all."""
    if caller.is_staff:
        return
    if caller.role is Role.PATIENT and patient_id != caller.subject:
        raise PermissionDenied("a patient may book for nobody else")
    if caller.role is Role.DOCTOR and doctor_id != caller.subject:
        raise PermissionDenied("a doctor may book visits with nobody else")


def require_may_override(caller: Caller) -> None:
    """Setting rules aside is a decision of a person who answers for it; a doctor's own diary is seen to elsewhere."""
    if caller.role not in (Role.ADMIN, Role.DOCTOR):
        raise PermissionDenied("only administrators, and doctors in their own diary, may set rules aside")


def notice_owed(caller: Caller, notice: timedelta) -> timedelta:
    """The notice that a caller owes. It protects the doctor's day; a doctor who falls ill cannot give any."""
    return timedelta.min if caller.role is Role.DOCTOR else notice


def narrowed(caller: Caller, wanted: ListFilter) -> ListFilter | None:
    """The filter cut down to what the caller may see; None when nothing of it is left.

    Raises InvalidArgument for a doctor who breaks the glass and does not say for which patient.
    """
    if caller.role is Role.DOCTOR and caller.purpose_reason:
        if wanted.patient_id is None:
            raise InvalidArgument.of("patient_id", "is required where the glass is broken")
        return wanted
    own = reader_for(caller)
    if own.patient_id and wanted.patient_id not in (None, own.patient_id):
        return None
    if own.doctor_id and wanted.doctor_id not in (None, own.doctor_id):
        return None
    return ListFilter(
        patient_id=own.patient_id or wanted.patient_id,
        doctor_id=own.doctor_id or wanted.doctor_id,
        status=wanted.status,
        kind=wanted.kind,
        since=wanted.since,
        until=wanted.until,
    )


def reader_for(caller: Caller) -> FeedReader:
    """Whose changes the caller may watch."""
    return FeedReader(
        patient_id=caller.subject if caller.role is Role.PATIENT else None,
        doctor_id=caller.subject if caller.role is Role.DOCTOR else None,
    )


def require_own(own: FeedReader, patient_id: str | None, doctor_id: str | None, what: str) -> None:
    """Refuses a patient or doctor who asks for `what` of somebody else. Raises PermissionDenied.

    Not "not found": the answer is the same whether that somebody exists or not.
    """
    if own.patient_id and patient_id not in (None, own.patient_id):
        raise PermissionDenied(f"a patient is told nobody else's {what}")
    if own.doctor_id and doctor_id not in (None, own.doctor_id):
        raise PermissionDenied(f"a doctor is told no other doctor's {what}")
