"""A video session appears with its appointment, can be joined in time by the two, and goes with the appointment."""

from uuid import uuid4

from chassis.context import Role
from stack.demo_patients import AWAITED_PATIENT
from stack.demo_visits import OPEN_VISIT
from tests.fix_clinic import Clinic, in_days
from tests.fix_stack import wait_until


def test_the_demos_open_visit_can_be_joined_by_its_patient_and_nobody_else(clinic: Clinic):
    path = f"/video/sessions/{OPEN_VISIT}/start"
    joined = clinic.ok("POST", path, {"participant_type": "patient"}, who=(Role.PATIENT, AWAITED_PATIENT))
    assert joined["join_url"].endswith(f"/session/{joined['session_id']}")
    assert joined["cloudflare_session_id"] == ""
    assert joined["ice_servers"][0]["urls"]
    assert joined["join_token"] not in joined["join_url"]
    stranger = clinic.call("POST", path, {"participant_type": "patient"}, who=(Role.PATIENT, str(uuid4())))
    assert (stranger.status_code, stranger.json()["reason"]) == (404, "SESSION_NOT_FOUND")


def test_a_visit_to_come_has_a_session_that_opens_later_and_goes_when_it_is_called_off(clinic: Clinic):
    doctor, patient = clinic.new_doctor(), str(uuid4())
    wish = {
        "patient_id": patient,
        "doctor_id": doctor,
        "appointment_date": f"{in_days(11)}T09:00:00Z",
        "appointment_type": "GeneralConsultation",
    }
    booked = clinic.ok("POST", "/appointments/book", wish)["appointment"]
    path = f"/video/sessions/{booked['id']}/start"
    early = clinic.call("POST", path, {"participant_type": "patient"}, who=(Role.PATIENT, patient))
    assert (early.status_code, early.json()["reason"]) == (400, "JOIN_TOO_EARLY")
    clinic.ok("POST", f"/appointments/{booked['id']}/cancel", {"reason": "better again"}, who=(Role.PATIENT, patient))

    def refused_for_good() -> bool:
        late = clinic.call("POST", path, {"participant_type": "patient"}, who=(Role.PATIENT, patient))
        return late.status_code == 400 and late.json()["reason"] == "WRONG_STATE"

    wait_until(refused_for_good, "the session is cancelled")
