"""What each kind of process writes down of a request and of a decision: one line each, found by the trace id."""

import uuid
from datetime import UTC, datetime, time

import httpx

from chassis.context import Role
from tests.fix_clinic import Clinic, in_days
from tests.fix_stack import wait_until


def lines(clinic: Clinic, process: str, trace_id: str) -> list[str]:
    log = clinic.data / "logs" / f"{process}.log"
    return [line for line in log.read_text().splitlines() if f"trace_id={trace_id}" in line]


def traced(clinic: Clinic, answer: httpx.Response) -> str:
    """The trace of a request, once the gateway has written it down, which it does last."""
    trace_id = answer.headers["x-request-id"]
    wait_until(lambda: bool(lines(clinic, "gateway", trace_id)), "the request is in the gateway's log")
    return trace_id


def wish(patient: str, doctor: str, hour: int) -> dict[str, str]:
    return {
        "patient_id": patient,
        "doctor_id": doctor,
        "appointment_date": datetime.combine(in_days(12), time(hour), UTC).isoformat(),
        "appointment_type": "GeneralConsultation",
        "patient_notes": "not for the log",
    }


def test_a_booking_is_a_line_in_each_process_that_had_a_part_in_it(clinic: Clinic):
    patient, doctor = str(uuid.uuid4()), clinic.new_doctor()
    booked = clinic.call("POST", "/appointments/book", wish(patient, doctor, 9), who=(Role.PATIENT, patient))
    trace_id = traced(clinic, booked)
    (http,) = lines(clinic, "gateway", trace_id)
    assert "http_method=POST http_route=/appointments/book http_status=200" in http
    decision, rpc = lines(clinic, "appointment", trace_id)
    assert "decision=booking outcome=granted method=Book" in decision
    assert "rpc_method=telemed.appointment.v1.AppointmentService/Book rpc_status=OK" in rpc
    (asked,) = lines(clinic, "doctor", trace_id)
    assert "rpc_method=telemed.doctor.v1.DoctorService/MatchDoctors rpc_status=OK" in asked


def test_a_refusal_says_its_reason_in_both_lines(clinic: Clinic):
    patient, doctor = str(uuid.uuid4()), clinic.new_doctor()
    refused = clinic.call("POST", "/appointments/book", wish(patient, doctor, 3), who=(Role.PATIENT, patient))
    trace_id = traced(clinic, refused)
    decision, rpc = lines(clinic, "appointment", trace_id)
    assert "decision=booking outcome=refused method=Book reason=OUTSIDE_WORKING_HOURS" in decision
    assert "rpc_status=FAILED_PRECONDITION" in rpc
    assert "reason=OUTSIDE_WORKING_HOURS" in rpc
    (http,) = lines(clinic, "gateway", trace_id)
    assert "http_status=400" in http
    assert "reason=OUTSIDE_WORKING_HOURS" in http


def test_a_change_says_what_was_and_which_rules_were_set_aside(clinic: Clinic):
    patient, doctor = str(uuid.uuid4()), clinic.new_doctor()
    wanted = {"rules": ["OUTSIDE_WORKING_HOURS"], "reason": "not for the log either"}
    booked = clinic.call("POST", "/appointments/book", {**wish(patient, doctor, 3), "override": wanted})
    (override, granted, _) = lines(clinic, "appointment", traced(clinic, booked))
    assert "decision=override outcome=used method=Book overridden_rules=OUTSIDE_WORKING_HOURS" in override
    assert "decision=booking outcome=granted" in granted
    visit = booked.json()["appointment"]["id"]
    cancelled = clinic.call("POST", f"/appointments/{visit}/cancel", {"reason": "nor this"})
    (decision, _) = lines(clinic, "appointment", traced(clinic, cancelled))
    assert "decision=appointment outcome=CANCELLED was=CONFIRMED" in decision


def test_a_video_session_s_request_is_a_line_with_its_reason(clinic: Clinic):
    patient = str(uuid.uuid4())
    nowhere = f"/video/sessions/{uuid.uuid4()}/start"
    refused = clinic.call("POST", nowhere, {"participant_type": "patient"}, who=(Role.PATIENT, patient))
    (rpc,) = lines(clinic, "video", traced(clinic, refused))
    assert "rpc_method=telemed.video.v1.VideoService/StartSession rpc_status=NOT_FOUND" in rpc
    assert "reason=SESSION_NOT_FOUND" in rpc


def test_nothing_that_people_wrote_or_are_called_is_in_any_log(clinic: Clinic):
    patient, doctor = str(uuid.uuid4()), clinic.new_doctor()
    traced(clinic, clinic.call("POST", "/appointments/book", wish(patient, doctor, 9), who=(Role.PATIENT, patient)))
    everything = "".join(log.read_text() for log in (clinic.data / "logs").glob("*.log"))
    for private in ("for the log", patient, doctor):
        assert private not in everything
