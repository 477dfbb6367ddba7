"""`telemed up --book`: one visit booked by plain HTTP, for a patient who has a doctor, and what to try next."""

import json
import shlex
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from chassis.context import Role
from stack.hints import telemed
from stack.issuer import Issuer
from stack.plan import Plan
from stack.probes import call

_SMART_BOOK = "/appointments/smart-book"
_VISIT_TYPE = "GeneralConsultation"
_TOKEN_TTL = timedelta(minutes=5)
_ADMIN = "00000000-0000-4000-8000-000000000001"
_COPY_SECONDS = 20.0
_POLL_SECONDS = 0.2
_MOST_PATIENTS = 10

Json = dict[str, Any]
Mint = Callable[[Role, str], str]


class BookingError(Exception):
    """No visit could be booked; the message says what was asked and answered."""


@dataclass(frozen=True, slots=True)
class Booking:
    """What was asked and what was answered; the answer's shape is the contract's."""

    request: Json
    answer: Json


def book_one(plan: Plan, issuer: Issuer, first_patient: str | None) -> Booking:
    """Book the earliest visit for a patient who has been at a doctor's before, in that doctor's specialty.

    `first_patient` is asked first. A patient whose day is full already is passed over, so that this works as often as
    it is run.

    Raises:
        BookingError: nobody has a history, or all of them were refused.
    """

    def mint(role: Role, subject: str) -> str:
        return issuer.mint(role, subject, now=datetime.now(UTC), ttl=_TOKEN_TTL)

    refusals = []
    for visit in _last_visits(plan, mint, first_patient):
        request = _wish(plan, mint, visit)
        token = mint(Role.PATIENT, visit["patient_id"])
        answer = call(plan.port, "POST", _SMART_BOOK, token=token, body=request, idempotency_key=str(uuid4()))
        if answer.status == HTTPStatus.OK:
            return Booking(request, answer.body)
        refusals.append(f"{answer.status} {answer.body}")
    raise BookingError("; ".join(refusals) or "no patient has completed a visit yet")


def _last_visits(plan: Plan, mint: Mint, first_patient: str | None) -> Iterator[Json]:
    """The newest completed visit of each of a few patients."""
    token = mint(Role.ADMIN, _ADMIN)
    listed = _get(plan, "/appointments?status=Completed&page_size=100", token)["appointments"]
    if first_patient:
        own = _get(plan, f"/appointments?status=Completed&page_size=1&patient_id={first_patient}", token)
        listed = own["appointments"] + listed
    newest: dict[str, Json] = {}
    for visit in listed:  # the latest comes first
        newest.setdefault(visit["patient_id"], visit)
    yield from list(newest.values())[:_MOST_PATIENTS]


def _wish(plan: Plan, mint: Mint, visit: Json) -> Json:
    token = mint(Role.ADMIN, _ADMIN)
    _wait_for_history(plan, token, visit)
    doctor = _get(plan, f"/doctors/{visit['doctor_id']}", token)
    return {
        "patient_id": visit["patient_id"],
        "appointment_type": _VISIT_TYPE,
        "timezone": visit["timezone"] or "UTC",
        "specialty_required": doctor["specialty"].lower(),
        "patient_notes": "Follow-up consultation",
        "allow_history_prioritization": True,
    }


def _wait_for_history(plan: Plan, token: str, visit: Json) -> None:
    """The doctor service copies visits from the change feed; on a new data folder it is still reading."""
    question = {"patient_id": visit["patient_id"], "doctor_id": visit["doctor_id"], "appointment_type": _VISIT_TYPE}
    deadline = time.monotonic() + _COPY_SECONDS
    while True:
        answer = call(plan.port, "POST", "/doctors/match", token=token, body=question)
        if answer.status == HTTPStatus.OK and any(match["is_preferred_doctor"] for match in answer.body["matches"]):
            return
        if time.monotonic() > deadline:
            raise BookingError(f"the doctor service does not know the visits of the ledger: {answer.body}")
        time.sleep(_POLL_SECONDS)


def _get(plan: Plan, path: str, token: str) -> Json:
    answer = call(plan.port, "GET", path, token=token)
    if answer.status != HTTPStatus.OK:
        raise BookingError(f"GET {path}: {answer.status} {answer.body}")
    body: Json = answer.body
    return body


def describe(plan: Plan, booking: Booking) -> str:
    """Request, answer, and three lines that work when pasted."""
    return "\n".join(
        [
            f"\nPOST {plan.gateway_url}{_SMART_BOOK}",
            _pretty(booking.request),
            "\n200 OK",
            _pretty(booking.answer),
            "\nGo on with (each line works as it is):",
            *(f"\n  {line}" for line in curl_lines(plan, booking)),
        ]
    )


def curl_lines(plan: Plan, booking: Booking) -> list[str]:
    """See the doctor's day, book one of the other times, list what the patient has."""
    appointment = booking.answer["appointment"]
    patient, doctor = appointment["patient_id"], appointment["doctor_id"]
    token = f'"Authorization: Bearer $({telemed(plan, "token", "--role", "patient", "--subject", patient)})"'
    url = plan.gateway_url
    day = appointment["start_time"][:10]
    lines = [f"curl -s -H {token} '{url}/doctors/{doctor}/availability?date={day}'"]
    for other in booking.answer["alternative_slots"][:1]:
        wish = {
            "patient_id": patient,
            "doctor_id": other["doctor_id"],
            "appointment_date": other["start_time"],
            "appointment_type": other["appointment_type"],
            "duration_minutes": other["duration_minutes"],
        }
        body = shlex.quote(json.dumps(wish))
        lines.append(f"curl -s -H {token} -H 'Content-Type: application/json' -d {body} {url}/appointments/book")
    return [*lines, f"curl -s -H {token} '{url}/appointments?patient_id={patient}'"]


def _pretty(content: Json) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False)
