"""Profiles and search as a browser sees them: a PATCH of what its body names, and every bad field by its name."""

from typing import Any
from uuid import uuid4

import pytest

from chassis.context import Role
from tests.fix_clinic import Clinic

DOCTOR: dict[str, Any] = {
    "first_name": "Zora",
    "last_name": "Quill",
    "specialty": "Rheumatology",
    "timezone": "UTC",
    "license_jurisdictions": ["us-ny"],
    "consultation_modes": ["Video", "phone"],
}
COUNT = "SELECT count(*), sum(version) FROM doctor"


def test_a_patch_changes_what_its_body_names_and_the_search_knows_at_once(clinic: Clinic):
    made = clinic.ok("POST", "/doctors", DOCTOR | {"email": f"{uuid4()}@example.org"})
    path = f"/doctors/{made['doctor_id']}"
    clinic.ok("POST", f"{path}/verify", {})
    assert "email" not in {name for name, value in made.items() if value}
    assert (made["license_jurisdictions"], made["consultation_modes"]) == (["US-NY"], ["Video", "Phone"])

    changed = clinic.ok("PATCH", path, {"bio": "Quiet joints.", "languages": ["en", "pt-BR"], "etag": "2"})
    assert (changed["bio"], changed["first_name"], changed["is_verified"]) == ("Quiet joints.", "Zora", True)
    emptied = clinic.ok("PATCH", path, {"bio": None, "doctor_id": made["doctor_id"]})
    assert (emptied["bio"], emptied["languages"]) == ("", ["en", "pt-BR"])
    masked = clinic.ok("PATCH", path, {"bio": "Ignored."}, update_mask="languages")
    assert (masked["bio"], masked["languages"]) == ("", [])
    stale = clinic.call("PATCH", path, {"bio": "Late.", "etag": "2"})
    assert (stale.status_code, stale.json()["reason"]) == (409, "ETAG_MISMATCH")

    patient = (Role.PATIENT, str(uuid4()))
    wish = {"query": "zora qill", "license_jurisdiction": "US-NY", "order_by": "relevance"}
    assert [doctor["doctor_id"] for doctor in clinic.ok("GET", "/doctors/search", who=patient, **wish)["doctors"]] == [
        made["doctor_id"]
    ]
    clinic.ok("POST", f"{path}/deactivate", {}, who=(Role.DOCTOR, made["doctor_id"]))
    assert clinic.call("GET", path, who=patient).status_code == 404
    assert clinic.ok("POST", f"{path}/activate", {})["is_active"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"first_name": 7}, "first_name"),
        ({"first_name": ""}, "first_name"),
        ({"last_name": "x" * 101}, "last_name"),
        ({"specialty": None}, "specialty"),
        ({"sub_specialties": "Cardiology"}, "sub_specialties"),
        ({"sub_specialties": [""]}, "sub_specialties[0]"),
        ({"bio": "x" * 4001}, "bio"),
        ({"years_experience": 81}, "years_experience"),
        ({"years_experience": 1.5}, "years_experience"),
        ({"languages": ["no tag"]}, "languages[0]"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"license_jurisdictions": ["USA"]}, "license_jurisdictions[0]"),
        ({"max_daily_appointments": -1}, "max_daily_appointments"),
        ({"consultation_modes": ["Pigeon"]}, "consultation_modes[0]"),
        ({"email": "nobody"}, "email"),
        ({"license_number": "a\nb"}, "license_number"),
        ({"date_of_birth": "1980-02-30"}, "date_of_birth"),
        ({"date_of_birth": "2999-01-01"}, "date_of_birth"),
        ({"nope": 1}, "nope"),
    ],
)
def test_a_bad_field_of_a_profile_is_named_and_nothing_is_stored(clinic: Clinic, change: dict[str, Any], field: str):
    doctor_id = clinic.rows("doctor", "SELECT doctor_id::text FROM doctor ORDER BY 1 LIMIT 1")[0][0]
    before = clinic.rows("doctor", COUNT)
    for answer in (
        clinic.call("POST", "/doctors", DOCTOR | change),
        clinic.call("PATCH", f"/doctors/{doctor_id}", change),
    ):
        assert answer.status_code == 400, answer.text
        assert [violation["field"] for violation in answer.json()["violations"]] == [field]
    assert clinic.rows("doctor", COUNT) == before


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"query": "x" * 201}, "query"),
        ({"specialty": "x" * 101}, "specialty"),
        ({"language": "??"}, "language"),
        ({"license_jurisdiction": "USA"}, "license_jurisdiction"),
        ({"min_rating": "6"}, "min_rating"),
        ({"min_rating": "NaN"}, "min_rating"),
        ({"min_years_experience": "-1"}, "min_years_experience"),
        ({"verified": "maybe"}, "verified"),
        ({"available_on": "2026-02-30"}, "available_on"),
        ({"order_by": "beauty"}, "order_by"),
        ({"page_size": "101"}, "page_size"),
        ({"page_token": "x"}, "page_token"),
        ({"nope": "1"}, "nope"),
    ],
)
def test_a_bad_field_of_a_search_is_named(clinic: Clinic, wish: dict[str, str], field: str):
    answer = clinic.call("GET", "/doctors/search", **wish)
    assert answer.status_code == 400, answer.text
    assert [violation["field"] for violation in answer.json()["violations"]] == [field]


@pytest.mark.parametrize(("path", "verb"), [("", "PATCH"), ("/deactivate", "POST"), ("/activate", "POST")])
def test_a_doctor_whose_id_is_no_uuid_is_refused_by_that_field(clinic: Clinic, path: str, verb: str):
    answer = clinic.call(verb, f"/doctors/7{path}", {})
    assert answer.status_code == 400
    assert [violation["field"] for violation in answer.json()["violations"]] == ["doctor_id"]
