"""A visit held over JSON moves its appointment through the real stack: in progress once both are there, then done."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from chassis.context import Role
from stack.demo_patients import AWAITED_PATIENT
from stack.demo_visits import OPEN_VISIT
from stack.issuer import Issuer
from tests.fix_stack import StartStack, wait_until


def test_a_visit_starts_and_completes_its_appointment(start_stack: StartStack):
    stack = start_stack()
    issuer = Issuer.of(stack.data)

    def call(who: tuple[Role, str], verb: str, path: str, body: Any = None) -> Any:
        token = issuer.mint(*who, now=datetime.now(UTC), ttl=timedelta(minutes=5))
        url = f"http://127.0.0.1:{stack.port}{path}"
        answer = httpx.request(verb, url, json=body, headers={"authorization": f"Bearer {token}"}, timeout=20)
        assert answer.status_code == 200, answer.text
        return answer.json()

    admin = (Role.ADMIN, AWAITED_PATIENT)

    def appointment() -> Any:
        return call(admin, "GET", f"/appointments/{OPEN_VISIT}")

    patient, doctor = (Role.PATIENT, AWAITED_PATIENT), (Role.DOCTOR, appointment()["doctor_id"])
    start = f"/video/sessions/{OPEN_VISIT}/start"
    knocked = call(patient, "POST", start, {"participant_type": "patient"})
    call(doctor, "POST", start, {"participant_type": "doctor"})
    visit = f"/video/sessions/{knocked['session_id']}"
    call(doctor, "POST", f"{visit}/participants/{knocked['participant_id']}/admit", {})
    call(patient, "POST", start, {"participant_type": "patient"})
    wait_until(lambda: appointment().get("patient_arrival_time") is not None, "the arrival is noted")

    for who in (patient, doctor):
        call(who, "POST", f"{visit}/heartbeat", {"attempt": 1, "number": 1, "connection_state": "Connected"})
    wait_until(lambda: appointment()["status"] == "InProgress", "the appointment is in progress")
    assert call(doctor, "GET", visit)["state"] == "Live"

    assert call(doctor, "POST", f"{visit}/end", {})["state"] == "Ended"
    wait_until(lambda: appointment()["status"] == "Completed", "the appointment is completed")
