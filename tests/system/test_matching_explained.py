"""Matching that explains itself, and recommendations, through the whole stack: what it says is what booking does."""

import random
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import uuid4

from chassis.context import Role
from tests.fix_clinic import Clinic, in_days

# What booking answers for each rule of time; where a visit fails several, booking tells one of them.
REFUSED_AS = {
    "Notice": "TOO_SOON",
    "Horizon": "TOO_FAR_AHEAD",
    "OutsideHours": "OUTSIDE_WORKING_HOURS",
    "Busy": "SLOT_TAKEN",
}
QUESTIONS = 200


def explained(clinic: Clinic, doctor_id: str, start: datetime, revision: str) -> Any:
    wish = {"doctor_id": doctor_id, "start_time": start.isoformat(), "appointment_type": "GeneralConsultation"}
    return clinic.ok("POST", "/doctors/match", {**wish, "explain": True, "at_least_revision": revision})


def test_whoever_is_not_excluded_is_booked_and_nobody_else(clinic: Clinic) -> None:
    doctor_id = clinic.new_doctor()
    chance = random.Random(7)  # noqa: S311 - makes questions, guards nothing
    revision, booked = "", 0
    for _ in range(QUESTIONS):
        # Two days to book in, so that they fill up, and now and then today or a day past the horizon.
        day = in_days(chance.choice((5, 5, 5, 6, 6, 0, 95)))
        start = datetime.combine(day, time(), UTC) + timedelta(minutes=10 * chance.randrange(8 * 6, 18 * 6))
        answer = explained(clinic, doctor_id, start, revision)
        told = {reason["rule"] for one in answer.get("excluded", []) for reason in one["reasons"]}
        patient = str(uuid4())
        wish = {
            "patient_id": patient,
            "doctor_id": doctor_id,
            "appointment_date": start.isoformat(),
            "appointment_type": "GeneralConsultation",
            "timezone": "UTC",
        }
        reply = clinic.call("POST", "/appointments/book", wish, who=(Role.PATIENT, patient))
        assert (reply.status_code == 200) == (not told), (start, told, reply.text)
        if told:
            assert reply.json()["reason"] in {REFUSED_AS[rule] for rule in told}
        else:
            revision = reply.json()["revision"]
            booked += 1
    assert booked > 10


def test_a_doctor_left_out_is_told_with_rules_and_the_nearest_time(clinic: Clinic) -> None:
    doctor_id = clinic.new_doctor(specialty="Phlebology")
    start = datetime.combine(in_days(5), time(13), UTC)
    wish = {
        "doctor_id": doctor_id,
        "start_time": start.isoformat(),
        "appointment_type": "GeneralConsultation",
        "language": "fr",
        "explain": True,
    }
    answer = clinic.ok("POST", "/doctors/match", wish)
    (excluded,) = answer["excluded"]
    assert [reason["rule"] for reason in excluded["reasons"]] == ["Language", "OutsideHours"]
    assert excluded["suggestion"] == f"free at 14:00 on {in_days(5)} (UTC), if the language may be another"
    assert excluded["nearest_slot"]["slot"]["start_time"] == f"{in_days(5)}T14:00:00Z"
    assert answer["policy_version"] == 1


def test_a_new_patient_is_recommended_doctors_with_reasons(clinic: Clinic) -> None:
    answer = clinic.ok("GET", "/doctors/recommendations", who=(Role.PATIENT, str(uuid4())), max_results="5")
    assert len(answer["recommendations"]) == 5
    scores = [one["score"] for one in answer["recommendations"]]
    assert scores == sorted(scores, reverse=True)
    assert all(one["reasons"] for one in answer["recommendations"])
    assert clinic.call("GET", "/doctors/recommendations", max_results="many").status_code == 400
