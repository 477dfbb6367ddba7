"""`telemed visit`: the two addresses by which a visit is had in two windows of a browser."""

from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

from chassis.context import Role
from stack.commands import CommandError
from stack.issuer import Issuer
from stack.plan import GATEWAY
from stack.probes import call
from stack.state import State

_TOKEN_LIVES = timedelta(hours=1)
_ADMIN = "00000000-0000-4000-8000-000000000001"


def visit(data: Path, appointment_id: str, now: datetime) -> int:
    """Print the page of an appointment's visit for its patient and its doctor, each with a token in the fragment.

    Raises CommandError when nothing runs on `data`, or there is no such appointment.
    """
    state = State.read(data)
    port = state.processes[GATEWAY].port if state else None
    if state is None or port is None:
        raise CommandError(f"nothing runs on {data}; start it with `telemed up --data {data}`")
    issuer = Issuer.of(data)

    def token(role: Role, subject: str) -> str:
        return issuer.mint(role, subject, now=now, ttl=_TOKEN_LIVES)

    admin = token(Role.ADMIN, _ADMIN)
    appointment = _read(port, f"/appointments/{appointment_id}", admin)
    sessions = _read(port, f"/video/sessions?appointment_id={appointment_id}", admin)["sessions"]
    if not sessions:
        raise CommandError(f"the video session of appointment {appointment_id} is not there yet")
    page = f"{state.url}/session/{sessions[0]['session_id']}"
    for role, subject in ((Role.PATIENT, appointment["patient_id"]), (Role.DOCTOR, appointment["doctor_id"])):
        print(f"{role.value:<8} {page}#token={token(role, subject)}")
    return 0


def _read(port: int, path: str, token: str) -> Any:
    answer = call(port, "GET", path, token=token)
    if answer.status != HTTPStatus.OK:
        raise CommandError(f"GET {path} answered {answer.status}: {answer.body}")
    return answer.body
