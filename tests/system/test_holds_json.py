"""Holds as a browser sees them: a time is kept, shown as taken, confirmed, or let go."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from chassis.context import Role
from tests.fix_clinic import Clinic, in_days

DAY = in_days(12)


def free_times(clinic: Clinic, doctor: str, revision: str) -> list[str]:
    day = clinic.ok("GET", f"/doctors/{doctor}/availability", date=DAY.isoformat(), at_least_revision=revision)
    return [slot["start_time"] for slot in day["morning_slots"]]


def test_a_time_is_kept_while_the_patient_decides_and_then_confirmed_or_let_go(clinic: Clinic):
    doctor, patient = clinic.new_doctor(), str(uuid4())
    who, nine = (Role.PATIENT, patient), f"{DAY}T09:00:00Z"
    wish = {
        "patient_id": patient,
        "doctor_id": doctor,
        "appointment_date": nine,
        "appointment_type": "GeneralConsultation",
        "timezone": "UTC",
    }
    held = clinic.ok("POST", "/appointments/hold", wish, who=who)
    appointment = held["appointment"]
    left = datetime.fromisoformat(appointment["hold_expire_time"]) - datetime.now(UTC)
    assert appointment["status"] == "Held"
    assert timedelta(minutes=9) < left <= timedelta(minutes=10)
    assert nine not in free_times(clinic, doctor, held["revision"])

    other = clinic.call("POST", "/appointments/hold", wish | {"patient_id": str(uuid4())})
    assert (other.status_code, other.json()["reason"]) == (409, "SLOT_TAKEN")

    gone = clinic.ok("POST", f"/appointments/{appointment['id']}/cancel", {}, who=who)
    assert nine in free_times(clinic, doctor, gone["revision"])
    late = clinic.call("POST", f"/appointments/{appointment['id']}/confirm", {}, who=who)
    assert (late.status_code, late.json()["reason"]) == (400, "WRONG_STATE")

    again = clinic.ok("POST", "/appointments/hold", wish, who=who)["appointment"]
    confirmed = clinic.ok("POST", f"/appointments/{again['id']}/confirm", {"etag": again["etag"]}, who=who)
    assert confirmed["appointment"]["status"] == "Confirmed"
    assert "hold_expire_time" not in confirmed["appointment"] or confirmed["appointment"]["hold_expire_time"] is None
    assert nine not in free_times(clinic, doctor, confirmed["revision"])


def test_a_doctor_who_approves_is_set_so_and_finds_bookings_pending(clinic: Clinic):
    doctor = clinic.new_doctor()
    shown = clinic.ok("PATCH", f"/doctors/{doctor}", {"requires_approval": True, "max_daily_appointments": 1})
    assert shown["requires_approval"] is True
    wish = {
        "patient_id": str(uuid4()),
        "doctor_id": doctor,
        "appointment_date": f"{DAY}T10:20:00Z",
        "appointment_type": "GeneralConsultation",
    }
    booked = clinic.ok("POST", "/appointments/book", wish)
    assert booked["appointment"]["status"] == "Pending"
    assert booked["appointment"]["match_policy_version"] >= 1
