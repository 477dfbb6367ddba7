"""Each of the clinic's variables changes what the running processes do; all of them are set for one stack here."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from chassis.context import Role
from stack.demo_patients import FIRST_PATIENT
from tests.fix_clinic import WEEKDAY_RULE, Clinic, in_days, running_clinic

VARIABLES = {
    "MEDICAL_SCHEDULING_MIN_ADVANCE_HOURS": "30",
    "MEDICAL_SCHEDULING_MAX_ADVANCE_DAYS": "20",
    "MEDICAL_SCHEDULING_CANCEL_NOTICE_HOURS": "240",
    "MEDICAL_SCHEDULING_RESCHEDULE_NOTICE_HOURS": "240",
    "MEDICAL_SCHEDULING_DAILY_LIMIT": "1",
    "MEDICAL_SCHEDULING_DEFAULT_BUFFER_MINUTES": "25",
    "ENABLE_SMART_BOOKING": "false",
    "ENABLE_HISTORY_PRIORITIZATION": "false",
}


@pytest.fixture(scope="module")
def strict() -> Iterator[Clinic]:
    """A stack with every variable set to something else than usual."""
    with running_clinic(**VARIABLES) as clinic:
        yield clinic


def book(clinic: Clinic, doctor: str, start: datetime | str, patient: str = "", **fields: Any) -> httpx.Response:
    wish = {
        "patient_id": patient or str(uuid4()),
        "doctor_id": doctor,
        "appointment_date": start if isinstance(start, str) else start.strftime("%Y-%m-%dT%H:%M:00Z"),
        "appointment_type": "GeneralConsultation",
    }
    return clinic.call("POST", "/appointments/book", wish | fields)


def round_the_clock(clinic: Clinic) -> str:
    doctor = clinic.new_doctor(days=range(0))
    for day in range(7):
        hours = {"day_of_week": day, "morning_start_time": "00:00", "morning_end_time": "12:00"}
        rest = {"afternoon_start_time": "12:00", "afternoon_end_time": "24:00", "buffer_minutes": 0}
        clinic.ok("POST", f"/doctors/{doctor}/availability", WEEKDAY_RULE | hours | rest)
    return doctor


def reasons(answer: httpx.Response) -> list[str]:
    assert answer.status_code in (400, 409), answer.text
    return [violation["reason"] for violation in answer.json()["violations"]]


def test_the_notice_of_a_booking(strict: Clinic):
    doctor, now = round_the_clock(strict), datetime.now(UTC)
    soon = (now + timedelta(hours=27)).replace(minute=0)
    answer = book(strict, doctor, soon)
    assert reasons(answer) == ["TOO_SOON"]
    assert int(answer.json()["metadata"]["missing_minutes"]) > 2 * 60
    assert book(strict, doctor, soon + timedelta(hours=5)).status_code == 200


def test_the_horizon(strict: Clinic):
    doctor = strict.new_doctor()
    answer = book(strict, doctor, f"{in_days(21)}T10:00:00Z")
    assert reasons(answer) == ["TOO_FAR_AHEAD"]
    assert answer.json()["metadata"]["opens_on"] == in_days(1).isoformat()
    assert book(strict, doctor, f"{in_days(20)}T10:00:00Z").status_code == 200


def test_the_notice_of_cancelling_and_of_moving(strict: Clinic):
    doctor, patient = strict.new_doctor(), str(uuid4())
    visit = book(strict, doctor, f"{in_days(9)}T10:00:00Z", patient).json()["appointment"]
    me = (Role.PATIENT, patient)
    answer = strict.call("POST", f"/appointments/{visit['id']}/cancel", {"reason": "better again"}, who=me)
    assert reasons(answer) == ["TOO_LATE_TO_CANCEL"]
    later = {"start_time": f"{in_days(15)}T10:00:00Z"}
    answer = strict.call("POST", f"/appointments/{visit['id']}/reschedule", later, who=me)
    assert reasons(answer) == ["TOO_LATE_TO_RESCHEDULE"]
    by_staff = {"override": {"rules": ["TOO_LATE_TO_RESCHEDULE"], "reason": "asked for by telephone"}}
    strict.ok("POST", f"/appointments/{visit['id']}/reschedule", later | by_staff)
    strict.ok("POST", f"/appointments/{visit['id']}/cancel", {"reason": "better again"}, who=me)


def test_the_visits_of_a_patient_in_a_day(strict: Clinic):
    doctor, patient = strict.new_doctor(), str(uuid4())
    assert book(strict, doctor, f"{in_days(10)}T09:00:00Z", patient).status_code == 200
    answer = book(strict, doctor, f"{in_days(10)}T11:00:00Z", patient)
    assert reasons(answer) == ["DAILY_LIMIT_REACHED"]
    assert answer.json()["metadata"]["next_free_day"] == in_days(11).isoformat()
    assert book(strict, doctor, f"{in_days(11)}T11:00:00Z", patient).status_code == 200


def test_the_buffer_of_kinds_that_name_none(strict: Clinic):
    doctor = strict.new_doctor(days=range(0))
    day = in_days(12)
    hours = {name: value for name, value in WEEKDAY_RULE.items() if name != "buffer_minutes"}
    strict.ok("POST", f"/doctors/{doctor}/availability", hours | {"day_of_week": day.isoweekday() % 7})
    free = strict.ok("GET", f"/doctors/{doctor}/availability", date=day.isoformat())
    starts = [slot["start_time"][11:16] for slot in free["morning_slots"]]
    assert starts == ["09:00", "09:55", "10:50"]
    at_night = {"override": {"rules": ["OutsideWorkingHours"], "reason": "the doctor is on call"}}
    booked = book(strict, doctor, f"{day}T22:00:00Z", **at_night).json()
    assert booked["appointment"]["buffer_minutes"] == 25


def test_smart_booking_can_be_switched_off(strict: Clinic):
    wish = {"patient_id": str(uuid4()), "appointment_type": "GeneralConsultation"}
    answer = strict.call("POST", "/appointments/smart-book", wish)
    assert (answer.status_code, answer.json()["reason"]) == (400, "FEATURE_DISABLED")


def test_history_can_be_switched_off(strict: Clinic, clinic: Clinic):
    wish = {
        "patient_id": FIRST_PATIENT,
        "appointment_type": "GeneralConsultation",
        "specialty_required": "cardiology",
        "allow_history_prioritization": True,
    }
    with_it, without = (one.ok("POST", "/doctors/match", wish)["matches"] for one in (clinic, strict))
    assert with_it[0]["match_reasons"][0].startswith("Previous patient")
    assert not any(reason.startswith("Previous patient") for match in without for reason in match["match_reasons"])
