"""The course of a visit as JSON: approval, arrival and rating, by those who may, with every bad field named."""

from typing import Any
from uuid import uuid4

import pytest

from chassis.context import Role
from stack.demo_patients import FIRST_PATIENT
from tests.fix_clinic import Clinic, in_days
from tests.fix_stack import wait_until

NOBODYS = f"/appointments/{uuid4()}"
PATIENT = (Role.PATIENT, FIRST_PATIENT)


def test_a_pending_visit_is_approved_by_its_doctor(clinic: Clinic):
    doctor = clinic.new_doctor()
    clinic.ok("PATCH", f"/doctors/{doctor}", {"requires_approval": True})
    wish = {
        "patient_id": str(uuid4()),
        "doctor_id": doctor,
        "appointment_date": f"{in_days(13)}T09:40:00Z",
        "appointment_type": "GeneralConsultation",
    }
    booked = clinic.ok("POST", "/appointments/book", wish)["appointment"]
    path = f"/appointments/{booked['id']}/approve"
    stranger = clinic.call("POST", path, {}, who=(Role.DOCTOR, str(uuid4())))
    assert (stranger.status_code, stranger.json()["reason"]) == (404, "APPOINTMENT_NOT_FOUND")
    approved = clinic.ok("POST", path, {"etag": booked["etag"]}, who=(Role.DOCTOR, doctor))
    assert approved["appointment"]["status"] == "Confirmed"
    again = clinic.call("POST", path, {}, who=(Role.DOCTOR, doctor))
    assert (again.status_code, again.json()["reason"]) == (400, "WRONG_STATE")


def test_an_arrival_is_noted_by_staff(clinic: Clinic):
    wish = {
        "patient_id": str(uuid4()),
        "doctor_id": clinic.new_doctor(),
        "appointment_date": f"{in_days(13)}T09:00:00Z",
        "appointment_type": "GeneralConsultation",
    }
    booked = clinic.ok("POST", "/appointments/book", wish)["appointment"]
    path = f"/appointments/{booked['id']}/arrival"
    came = clinic.ok("POST", path, {"participant": "patient"})["appointment"]
    assert came["patient_arrival_time"] == came["update_time"]
    assert clinic.ok("POST", path, {"participant": "Patient"})["appointment"] == came
    by_service = clinic.call("POST", path, {"participant": "patient"}, who=(Role.SERVICE, "video"))
    assert (by_service.status_code, by_service.json()["reason"]) == (403, "PERMISSION_DENIED"), "not at this door"
    mine = clinic.call("POST", path, {"participant": "patient"}, who=(Role.PATIENT, wish["patient_id"]))
    assert (mine.status_code, mine.json()["reason"]) == (403, "PERMISSION_DENIED")


def test_a_completed_visit_is_rated_once_and_its_doctor_shows_it(clinic: Clinic):
    visits = clinic.ok("GET", "/appointments", who=PATIENT, status="Completed", page_size="100")["appointments"]
    visit = next(one for one in visits if not one["rating"])
    before = clinic.ok("GET", f"/doctors/{visit['doctor_id']}")["rating_count"]
    path = f"/appointments/{visit['id']}/rate"
    rated = clinic.ok("POST", path, {"rating": 5, "comment": "listened"}, who=PATIENT)["appointment"]
    assert (rated["rating"], rated["rating_comment"]) == (5, "listened")
    again = clinic.call("POST", path, {"rating": 1}, who=PATIENT)
    assert (again.status_code, again.json()["reason"]) == (409, "ALREADY_RATED")

    def is_counted() -> bool:
        return bool(clinic.ok("GET", f"/doctors/{visit['doctor_id']}")["rating_count"] == before + 1)

    wait_until(is_counted, "the doctor's profile counts the rating")


@pytest.mark.parametrize(
    ("verb", "body", "field"),
    [
        ("rate", {}, "rating"),
        ("rate", {"rating": 0}, "rating"),
        ("rate", {"rating": 6}, "rating"),
        ("rate", {"rating": 4.5}, "rating"),
        ("rate", {"rating": "good"}, "rating"),
        ("rate", {"rating": 4, "comment": "x" * 2001}, "comment"),
        ("rate", {"rating": 4, "stars": 4}, "stars"),
        ("confirm", {"request_id": "two words"}, "request_id"),
        ("confirm", {"etag": 7}, "etag"),
        ("approve", {"request_id": "x" * 256}, "request_id"),
        ("arrival", {}, "participant"),
        ("arrival", {"participant": "nurse"}, "participant"),
        ("arrival", {"participant": 3}, "participant"),
    ],
)
def test_a_bad_field_is_named(clinic: Clinic, verb: str, body: dict[str, Any], field: str):
    who = PATIENT if verb == "rate" else (Role.ADMIN, str(uuid4()))
    answer = clinic.call("POST", f"{NOBODYS}/{verb}", body, who=who)
    assert answer.status_code == 400, answer.text
    assert [violation["field"] for violation in answer.json()["violations"]] == [field]


@pytest.mark.parametrize("verb", ["confirm", "approve", "rate", "arrival"])
def test_an_id_that_is_none_and_one_that_nobody_has_are_told_apart(clinic: Clinic, verb: str):
    who = PATIENT if verb == "rate" else (Role.ADMIN, str(uuid4()))
    body: dict[str, Any] = {"rate": {"rating": 5}, "arrival": {"participant": "doctor"}}.get(verb, {})
    bad = clinic.call("POST", f"/appointments/none/{verb}", body, who=who)
    assert (bad.status_code, bad.json()["violations"][0]["field"]) == (400, "id")
    nobodys = clinic.call("POST", f"{NOBODYS}/{verb}", body, who=who)
    assert (nobodys.status_code, nobodys.json()["reason"]) == (404, "APPOINTMENT_NOT_FOUND")
