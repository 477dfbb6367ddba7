"""A doctor's numbers through the whole stack: a patient's rating, the statistics, and the summary of the next days."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from chassis.context import Role
from stack.demo_doctors import CARDIOLOGIST
from stack.demo_patients import FIRST_PATIENT
from tests.fix_clinic import ADMIN, Clinic, in_days
from tests.fix_stack import wait_until

PATIENT = (Role.PATIENT, FIRST_PATIENT)


def test_a_rating_of_a_visit_is_in_the_doctors_profile_statistics_and_search(clinic: Clinic):
    visits = clinic.ok(
        "GET", "/appointments", who=PATIENT, patient_id=FIRST_PATIENT, doctor_id=CARDIOLOGIST, status="Completed"
    )["appointments"]
    visit = next(one for one in visits if not one["rating"])
    before = clinic.ok("GET", f"/doctors/{CARDIOLOGIST}", who=PATIENT)
    rated = clinic.ok("POST", f"/appointments/{visit['id']}/rate", {"rating": 3, "comment": "Late."}, who=PATIENT)
    stats = clinic.ok("GET", f"/doctors/{CARDIOLOGIST}/stats", at_least_revision=rated["revision"])
    count = before["rating_count"] + 1
    mean = pytest.approx((before["rating"] * before["rating_count"] + 3) / count, abs=1e-9)
    after = clinic.ok("GET", f"/doctors/{CARDIOLOGIST}", who=PATIENT)
    assert (stats["rating"], stats["rating_count"]) == (after["rating"], after["rating_count"]) == (mean, count)
    assert after["etag"] == before["etag"]

    def is_found_so() -> bool:
        found = clinic.ok("GET", "/doctors/search", who=PATIENT, query="Castellanos")["doctors"]
        return [one["rating_count"] for one in found if one["doctor_id"] == CARDIOLOGIST] == [count]

    # A kept answer is forgotten as soon as the notice of the change is heard, and not after its time of a minute.
    wait_until(is_found_so, "the search tells the new rating", 5)


def test_statistics_count_what_was_booked_and_what_became_of_it(clinic: Clinic):
    doctor, day = clinic.new_doctor(), in_days(12).isoformat()
    booked = []
    for clock in ("09:00", "09:40", "14:00"):
        wish = {
            "patient_id": str(uuid4()),
            "doctor_id": doctor,
            "appointment_date": f"{day}T{clock}:00Z",
            "appointment_type": "GeneralConsultation",
        }
        booked.append(clinic.ok("POST", "/appointments/book", wish))
    cancelled = clinic.ok("POST", f"/appointments/{booked[1]['appointment']['id']}/cancel", {"reason": "better"})
    asked = {"from": day, "to": day, "at_least_revision": cancelled["revision"]}
    told = clinic.ok("GET", f"/doctors/{doctor}/stats", who=(Role.DOCTOR, doctor), **asked)
    assert (told["from_date"], told["to_date"], told["timezone"]) == (day, day, "UTC")
    counts = {state: count for state, count in told["visits"].items() if count}
    assert counts == {"total": 3, "confirmed": 2, "cancelled": 1}
    # Four slots before noon and four after, each with its buffer; two of them are taken.
    assert (told["offered_minutes"], told["booked_minutes"], told["utilisation"]) == (320, 80, 0.25)
    assert (told["completion_rate"], "no_show_rate" in told, "continuity_rate" in told) == (0.0, False, False)
    other = clinic.call("GET", f"/doctors/{doctor}/stats", who=(Role.DOCTOR, str(uuid4())))
    assert (other.status_code, other.json()["reason"]) == (404, "DOCTOR_NOT_FOUND")
    assert clinic.call("GET", f"/doctors/{doctor}/stats", who=PATIENT).status_code == 403


def test_the_summary_of_the_next_days_is_there_soon_after_the_start(clinic: Clinic):
    def first_page() -> dict[str, object]:
        return dict(clinic.ok("GET", "/doctors/availability-summary", specialty="cardiology"))

    wait_until(lambda: "refresh_time" in first_page(), "the first refresh", 30)
    told = clinic.ok("GET", "/doctors/availability-summary", specialty="cardiology", page_size="100")
    refreshed = datetime.fromisoformat(told["refresh_time"])
    of_demo = {one["doctor_id"]: one for one in told["summaries"]}
    cardiologist = of_demo[CARDIOLOGIST]
    assert abs((datetime.now(UTC) - refreshed).total_seconds()) < 600
    week, fortnight = cardiologist["next_7_days"], cardiologist["next_14_days"]
    assert 0 < week["offered_minutes"] < fortnight["offered_minutes"]
    assert fortnight["free_slots"] > 0
    assert datetime.fromisoformat(cardiologist["next_free_time"]) > refreshed
    soonest = [one.get("next_free_time", "9") for one in told["summaries"]]
    assert soonest == sorted(soonest)
    assert clinic.call("GET", "/doctors/availability-summary", who=(Role.DOCTOR, ADMIN)).status_code == 403
