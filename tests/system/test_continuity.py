"""A visit that took place makes its doctor the patient's own, across two days of one clinic."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from chassis.context import Role
from stack.issuer import Issuer
from tests.fix_clinic import WEEKDAY_RULE
from tests.fix_stack import RunningStack, StartStack

ADMIN, PATIENT = str(uuid4()), str(uuid4())


def post(stack: RunningStack, path: str, body: Any) -> Any:
    token = Issuer.of(stack.data).mint(Role.ADMIN, ADMIN, now=datetime.now(UTC), ttl=timedelta(minutes=5))
    answer = httpx.post(
        f"http://127.0.0.1:{stack.port}{path}", json=body, headers={"Authorization": f"Bearer {token}"}, timeout=20
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_completed_visit_is_remembered_by_the_next_booking(start_stack: StartStack, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TELEMED_NOW", "2026-03-02T06:00:00Z")
    stack = start_stack("--no-demo")
    doctors = []
    for last_name in ("Able", "Baker"):
        profile = {"first_name": "Ann", "last_name": last_name, "specialty": "Cardiology", "timezone": "UTC"}
        doctors.append(post(stack, "/doctors", profile)["doctor_id"])
        post(stack, f"/doctors/{doctors[-1]}/verify", {})
        for day in range(1, 6):
            post(stack, f"/doctors/{doctors[-1]}/availability", {**WEEKDAY_RULE, "day_of_week": day})
    # The second of two equal doctors: only a past together can bring the patient back to this one.
    wish = {"patient_id": PATIENT, "appointment_type": "GeneralConsultation", "specialty_required": "cardiology"}
    first = post(stack, "/appointments/smart-book", wish)
    assert first["is_preferred_doctor"] is False
    other = next(doctor for doctor in doctors if doctor != first["appointment"]["doctor_id"])
    exact = wish | {"doctor_id": other, "appointment_date": "2026-03-02T10:00:00Z"}
    visit = post(stack, "/appointments/book", exact)["appointment"]
    stack.stop()

    monkeypatch.setenv("TELEMED_NOW", "2026-03-02T09:55:00Z")
    stack = start_stack("--no-demo", data=stack.data, port=stack.port)
    post(stack, f"/appointments/{visit['id']}/start", {})
    done = post(stack, f"/appointments/{visit['id']}/complete", {})
    # The match waits for the copy of the visit by its revision; the booking after it then sees it too.
    post(stack, "/doctors/match", wish | {"at_least_revision": done["revision"]})
    again = post(stack, "/appointments/smart-book", wish)
    assert again["appointment"]["doctor_id"] == other
    assert again["is_preferred_doctor"] is True
    assert again["doctor_match_score"] > 0.8
    assert again["match_reasons"][0] == "Previous patient - 1 consultation(s) with this doctor"
