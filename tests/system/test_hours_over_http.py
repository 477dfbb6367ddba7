"""Hours through the whole stack: the table of cases by HTTP, rules and overrides as a browser sends them."""

from typing import Any
from uuid import uuid4

import pytest

from chassis.context import Role
from tests.fix_clinic import Clinic, in_days
from tests.scenarios import availability_cases

PREVIEW = "/doctors/availability/preview"


@pytest.mark.parametrize("case", availability_cases(), ids=lambda case: case["case"])
def test_the_preview_answers_the_table(clinic: Clinic, case: dict[str, Any]):
    answer = clinic.ok("POST", PREVIEW, case["request"])
    assert [slot["start_time"] for slot in answer["slots"]] == case["slots"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"from": "2026-02-30"}, "from"),
        ({"to": "2026-07-18"}, "to"),
        ({"to": "2026-06-16"}, "to"),
        ({"now": "yesterday"}, "now"),
        ({"min_notice_minutes": -1}, "min_notice_minutes"),
        ({"max_advance_days": 731}, "max_advance_days"),
        ({"duration_minutes": 3}, "duration_minutes"),
        ({"appointment_type": "Surgery"}, "appointment_type"),
        ({"rules": [{"day_of_week": 3}]}, "rules[0].morning_start_time"),
        ({"overrides": [{"kind": "Holiday"}]}, "overrides[0].kind"),
        ({"overrides": [{"kind": "Sick"}]}, "overrides[0].start_date"),
        ({"visits": [{"start_time": "2026-06-17T09:00:00Z"}]}, "visits[0].end_time"),
        (
            {"visits": [{"start_time": "2026-06-17T09:00:00Z", "end_time": "2026-06-17T09:00:00Z"}]},
            "visits[0].end_time",
        ),
        (
            {"rules": [{"day_of_week": 3, "morning_start_time": "09:00", "morning_end_time": "12:00"}] * 2},
            "rules[1].morning_start_time",
        ),
    ],
)
def test_a_bad_field_of_a_preview_is_named(clinic: Clinic, change: dict[str, Any], field: str):
    answer = clinic.call("POST", PREVIEW, {"from": "2026-06-17"} | change)
    assert (answer.status_code, [found["field"] for found in answer.json()["violations"]]) == (400, [field])


def test_a_patient_previews_nothing(clinic: Clinic):
    assert clinic.call("POST", PREVIEW, {"from": "2026-06-17"}, who=(Role.PATIENT, str(uuid4()))).status_code == 403


def test_rules_and_overrides_as_a_browser_sends_them(clinic: Clinic):
    doctor, day = clinic.new_doctor(), in_days(9).isoformat()
    path = f"/doctors/{doctor}"

    def morning() -> list[str]:
        answer = clinic.ok("GET", f"{path}/slots", **{"from": day, "to": day})
        return [slot["start_time"][11:16] for slot in answer["slots"] if slot["start_time"][11:13] < "12"]

    assert morning() == ["09:00", "09:40", "10:20", "11:00"]
    dry = clinic.ok("POST", f"{path}/overrides", {"kind": "Sick", "start_date": day}, dry_run="true")
    assert (dry["affected_count"], morning()) == (0, ["09:00", "09:40", "10:20", "11:00"])
    block = {"kind": "ManualBlock", "start_date": day, "start_time": "09:30", "end_time": "10:00"}
    made = clinic.ok("POST", f"{path}/overrides", block)["override"]
    assert (made["kind"], made["end_date"], morning()) == ("ManualBlock", day, ["09:00", "10:00", "10:40", "11:20"])
    listed = clinic.ok("GET", f"{path}/overrides", **{"from": day})
    assert listed["overrides"] == [made]
    clinic.ok("DELETE", f"{path}/overrides/{made['override_id']}")
    assert morning() == ["09:00", "09:40", "10:20", "11:00"]
    rules = clinic.ok("GET", f"{path}/availability-rules")["rules"]
    weekday = in_days(9).isoweekday() % 7
    rule = next(rule for rule in rules if rule["day_of_week"] == weekday)
    changed = clinic.ok(
        "PATCH",
        f"{path}/availability-rules/{rule['rule_id']}",
        {"morning_start_time": None, "morning_end_time": None, "etag": rule["etag"]},
    )
    assert (changed.get("morning_start_time"), changed["afternoon_start_time"], morning()) == (None, "14:00", [])
    stale = clinic.call("PATCH", f"{path}/availability-rules/{rule['rule_id']}", {"etag": rule["etag"]})
    assert (stale.status_code, stale.json()["reason"]) == (409, "ETAG_MISMATCH")
    clinic.ok("DELETE", f"{path}/availability-rules/{rule['rule_id']}")
    assert len(clinic.ok("GET", f"{path}/availability-rules")["rules"]) == len(rules) - 1


def test_who_is_free_across_doctors(clinic: Clinic):
    doctor, day = clinic.new_doctor(specialty="Tropical medicine"), in_days(9).isoformat()
    found = clinic.ok("GET", "/doctors/availability", date=day, specialty="tropical MEDICINE")["doctors"]
    assert [(one["doctor_id"], one["free_slots"]) for one in found] == [(doctor, 8)]
    assert found[0]["slots"][0]["start_time"] == f"{day}T09:00:00Z"
