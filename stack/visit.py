"""`telemed visit`: the two addresses by which a visit is had in two windows of a browser."""

from datetime import datetime, timedelta
from pathlib import Path

from chassis.context import Role
from stack.commands import CommandError
from stack.gateway_reads import ADMINISTRATOR, gateway_on, read
from stack.issuer import Issuer

_TOKEN_LIVES = timedelta(hours=1)


def visit(data: Path, appointment_id: str, now: datetime) -> int:
    """Print the page of an appointment's visit for its patient and its doctor, each with a token in the fragment.

    Raises CommandError when nothing runs on `data`, or there is no such appointment.
    """
    state, port = gateway_on(data)
    issuer = Issuer.of(data)

    def token(role: Role, subject: str) -> str:
        return issuer.mint(role, subject, now=now, ttl=_TOKEN_LIVES)

    admin = token(Role.ADMIN, ADMINISTRATOR)
    appointment = read(port, f"/appointments/{appointment_id}", admin)
    sessions = read(port, f"/video/sessions?appointment_id={appointment_id}", admin)["sessions"]
    if not sessions:
        raise CommandError(f"the video session of appointment {appointment_id} is not there yet")
    page = f"{state.url}/session/{sessions[0]['session_id']}"
    for role, subject in ((Role.PATIENT, appointment["patient_id"]), (Role.DOCTOR, appointment["doctor_id"])):
        print(f"{role.value:<8} {page}#token={token(role, subject)}")
    return 0
