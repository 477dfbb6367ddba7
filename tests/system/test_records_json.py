"""Histories, figures and the feed through the gateway: their JSON, whose they are, a clear 4xx for anything else."""

import json
import subprocess
import sys
from typing import Any
from uuid import uuid4

import pytest

from chassis.context import Role
from tests.fix_clinic import Clinic, in_days

VISIT = "7d0cd6f2-6f5e-4a52-9a0e-3f1d7c1f0b11"


def booked(clinic: Clinic, patient: str, hour: int = 9) -> Any:
    wish = {
        "patient_id": patient,
        "doctor_id": clinic.new_doctor(),
        "appointment_type": "GeneralConsultation",
        "appointment_date": f"{in_days(8).isoformat()}T{hour:02}:00:00Z",
    }
    return clinic.ok("POST", "/appointments/book", wish)["appointment"]


def test_a_history_is_told_as_json_to_the_patient_and_not_to_another(clinic: Clinic):
    patient = str(uuid4())
    visit = booked(clinic, patient)
    me = (Role.PATIENT, patient)
    clinic.ok("POST", f"/appointments/{visit['id']}/cancel", {"reason": "well again"}, who=me)
    first, second = clinic.ok("GET", f"/appointments/{visit['id']}/events", who=me)["events"]
    assert (first["kind"], first["actor_role"], first.get("actor_id", "")) == ("Booked", "Admin", "")
    assert (second["kind"], second["actor_role"], second["actor_id"]) == ("Cancelled", "Patient", patient)
    assert second["reason"] == "well again"
    assert (second["before"]["status"], second["after"]["status"]) == ("Confirmed", "Cancelled")
    assert "before" not in first or first["before"] is None
    stranger = clinic.call("GET", f"/appointments/{visit['id']}/events", who=(Role.PATIENT, str(uuid4())))
    assert (stranger.status_code, stranger.json()["reason"]) == (404, "APPOINTMENT_NOT_FOUND")


def test_the_figures_of_a_patient_as_json(clinic: Clinic):
    patient = str(uuid4())
    for hour in (9, 11):
        booked(clinic, patient, hour)
    stats = clinic.ok("GET", "/appointments/stats", who=(Role.PATIENT, patient))
    assert (stats["total_appointments"], stats["upcoming_appointments"]) == (2, 2)
    assert stats["appointment_type_breakdown"] == [{"appointment_type": "GeneralConsultation", "count": 2}]
    assert 0 < stats["average_match_score"] <= 1


def test_the_figures_of_the_clinic_as_json(clinic: Clinic):
    booked(clinic, str(uuid4()))
    told = clinic.ok("GET", "/appointments/analytics", timezone="America/New_York")
    assert len(told["days"]) == 30
    assert told["timezone"] == "America/New_York"
    assert told["total"]["manual_bookings"] >= 1
    one = clinic.ok("GET", "/appointments/analytics", **{"from": in_days(0).isoformat(), "to": in_days(0).isoformat()})
    assert [day["date"] for day in one["days"]] == [in_days(0).isoformat()]


def test_the_feed_tells_browsers_where_to_go_on(clinic: Clinic):
    patient = str(uuid4())
    visit = booked(clinic, patient)
    path = f"/appointments/changes?kinds=Booked&patient_id={patient}&max_changes_per_message=10"
    with clinic.http.stream("GET", path, headers=clinic.headers(Role.PATIENT, patient)) as answer:
        assert answer.status_code == 200
        seen: dict[str, str] = {}
        for line in answer.iter_lines():
            name, _, value = line.partition(": ")
            seen[name] = value
            if name == "data" and "changes" in json.loads(value) and json.loads(value)["changes"]:
                break
    (change,) = json.loads(seen["data"])["changes"]
    assert (change["kind"], change["appointment"]["id"]) == ("Booked", visit["id"])
    assert int(seen["id"]) >= int(change["revision"])


def test_the_history_of_a_running_clinic_with_its_demo_is_whole(clinic: Clinic):
    def audit(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "stack.cli", "audit", *arguments, "--data", str(clinic.data)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    booked(clinic, str(uuid4()))
    head = audit("head")
    anchor = head.stdout.strip()
    assert (head.returncode, int(anchor.split(":")[0]) > 0) == (0, True)
    booked(clinic, str(uuid4()))
    verified = audit("verify", "--expect", anchor)
    assert verified.returncode == 0, verified.stdout
    # Of each chain a line: the history, and the accesses of every service.
    assert [line.rpartition("; the ")[2] for line in verified.stdout.splitlines()] == [
        "appointment accesses are whole",
        "doctor accesses are whole",
        "video accesses are whole",
        "history is whole",
    ]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/appointments/x/events", "id"),
        (f"/appointments/{VISIT}/events?page_size=x", "page_size"),
        (f"/appointments/{VISIT}/events?page_size=-1", "page_size"),
        (f"/appointments/{VISIT}/events?page_size=201", "page_size"),
        (f"/appointments/{VISIT}/events?page_token=x", "page_token"),
        (f"/appointments/{VISIT}/events?page_token=LTE=", "page_token"),
        (f"/appointments/{VISIT}/events?colour=red", "colour"),
        ("/appointments/stats?patient_id=x", "patient_id"),
        ("/appointments/stats?doctor_id={}", "doctor_id"),
        ("/appointments/stats?from=yesterday", "from"),
        ("/appointments/stats?to=2026-02-30T00:00:00Z", "to"),
        ("/appointments/stats?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "to"),
        ("/appointments/stats?from=2026-01-01T00:00:00Z&to=2026-01-01T00:00:00Z", "to"),
        ("/appointments/stats?page_size=1", "page_size"),
        ("/appointments/analytics?from=2026-13-01", "from"),
        ("/appointments/analytics?from=2026-01-01&to=2025-12-31", "to"),
        ("/appointments/analytics?from=2025-01-01&to=2025-12-31", "to"),
        ("/appointments/analytics?from=9999-12-31&to=9999-12-31", "from"),
        ("/appointments/analytics?timezone=Mars/Olympus", "timezone"),
        ("/appointments/analytics?timezone=America", "timezone"),
        ("/appointments?page_size=501", "page_size"),
        ("/appointments?page_token=!", "page_token"),
        ("/appointments?page_token=MDAwMS0wMS0wMVQwMDowMDowMCsxNDowMAp4", "page_token"),
        ("/appointments?status=Ready", "status"),
        ("/appointments?appointment_type=Surgery", "appointment_type"),
        ("/appointments?from=0000-01-01T00:00:00Z", "from"),
        ("/appointments/changes?patient_id=x", "patient_id"),
        ("/appointments/changes?kinds=Bought", "kinds"),
        ("/appointments/changes?max_changes_per_message=501", "max_changes_per_message"),
        ("/appointments/changes?after_revision=yesterday", "after_revision"),
    ],
)
def test_a_bad_field_is_named(clinic: Clinic, path: str, field: str):
    answer = clinic.http.get(path, headers=clinic.headers())
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert [violation["field"].split("[")[0] for violation in answer.json()["violations"]] == [field]


@pytest.mark.parametrize("role", [Role.PATIENT, Role.DOCTOR])
def test_what_is_somebody_elses_is_refused(clinic: Clinic, role: Role):
    me, other = str(uuid4()), str(uuid4())
    field = f"{role.value}_id"
    for path in (f"/appointments/stats?{field}={other}", f"/appointments/changes?{field}={other}"):
        answer = clinic.call("GET", path, who=(role, me))
        assert (answer.status_code, answer.json()["reason"]) == (403, "PERMISSION_DENIED"), path
    answer = clinic.call("GET", "/appointments/analytics", who=(role, me))
    assert (answer.status_code, answer.json()["reason"]) == (403, "PERMISSION_DENIED")
