"""What becomes of an appointment when nobody does anything: the table of the clocks."""

from dataclasses import dataclass
from datetime import timedelta

from appointment_svc.domain.rules import Rules
from kernel.appointment_status import AppointmentStatus

DOCTOR_DID_NOT_COME = "the doctor did not come"
DOCTOR_DID_NOT_APPROVE = "the doctor did not approve it before its start"


@dataclass(frozen=True, slots=True)
class Timeout:
    """One row: `grace` after its instant has come, an appointment in a status becomes something else.

    `reason` is told where it becomes CANCELLED.
    `name` is also that of the statement that knows who is due (storage/timeouts.sql).
    """

    name: str
    status: AppointmentStatus
    becomes: AppointmentStatus
    grace: timedelta = timedelta(0)
    reason: str = ""


def timeouts(rules: Rules) -> tuple[Timeout, ...]:
    """Every row of the table.

    | who                                          | from what instant      | becomes   |
    |----------------------------------------------|------------------------|-----------|
    | HELD                                         | the hold's own end     | EXPIRED   |
    | PENDING                                      | the start              | CANCELLED |
    | CONFIRMED, and the patient has not come      | the start + no_show    | NO_SHOW   |
    | CONFIRMED though the patient has come        | the end + overtime     | CANCELLED |
    | IN_PROGRESS                                  | the end + overtime     | COMPLETED |
    """
    return (
        Timeout("hold_runs_out", AppointmentStatus.HELD, AppointmentStatus.EXPIRED),
        Timeout(
            "approval_never_came", AppointmentStatus.PENDING, AppointmentStatus.CANCELLED, reason=DOCTOR_DID_NOT_APPROVE
        ),
        Timeout("patient_never_came", AppointmentStatus.CONFIRMED, AppointmentStatus.NO_SHOW, rules.no_show_after),
        Timeout(
            "doctor_never_came",
            AppointmentStatus.CONFIRMED,
            AppointmentStatus.CANCELLED,
            rules.overtime,
            DOCTOR_DID_NOT_COME,
        ),
        Timeout("visit_ends", AppointmentStatus.IN_PROGRESS, AppointmentStatus.COMPLETED, rules.overtime),
    )
