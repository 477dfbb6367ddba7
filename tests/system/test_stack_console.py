"""A demo's console tells of a booking what happened, and of the stack how it is."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from chassis.context import Role
from stack.demo_patients import FIRST_PATIENT
from stack.issuer import Issuer
from tests.fix_stack import StartStack, wait_until

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SMART_BOOK = "telemed.appointment.v1.AppointmentService/SmartBook"
MATCH = "telemed.doctor.v1.DoctorService/MatchDoctors"
WISH = {
    "patient_id": FIRST_PATIENT,
    "appointment_type": "GeneralConsultation",
    "specialty_required": "cardiology",
    "timezone": "America/New_York",
}


def test_a_booking_is_seen_whole_on_the_console_of_the_stack(start_stack: StartStack):
    stack = start_stack(console=True)
    now = datetime.now(UTC)
    token = Issuer.of(stack.data).mint(Role.PATIENT, FIRST_PATIENT, now=now, ttl=timedelta(minutes=5))
    with httpx.Client(base_url=f"http://localhost:{stack.port}", timeout=30, follow_redirects=True) as http:
        page = http.get("/ops")
        assert (page.status_code, str(page.url)) == (200, f"http://localhost:{stack.port + 8}/ops/")
        headers = {"Authorization": f"Bearer {token}", "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
        booked = http.post("/appointments/smart-book", json=WISH, headers=headers)
        assert booked.status_code == 200, booked.text

        def told(view: str, **query: str) -> Any:
            answer = http.get(f"http://localhost:{stack.port + 8}/ops/api/{view}", params=query)
            return answer.json() if answer.status_code == 200 else None

        wait_until(lambda: (told(f"traces/{TRACE}") or {"spans": 0})["spans"] >= 8, "its spans", 60)
        trace = told(f"traces/{TRACE}")
        # What changes seldom of a doctor may be known already, and is then not read.
        assert [line for line in trace["tree"] if "get_schedules" not in line] == [
            "gateway SERVER POST /appointments/smart-book",
            f"  gateway CLIENT {SMART_BOOK}",
            f"    appointment SERVER {SMART_BOOK}",
            f"      appointment CLIENT {MATCH}",
            f"        doctor SERVER {MATCH}",
            "          doctor CLIENT find_schedules",
            "      appointment CLIENT read_diary",
            "      appointment CLIENT book",
        ]
        assert (trace["orphans"], trace["errors"]) == ([trace["all"][0]["span_id"]], 0)
        copies = {("appointment", "doctor", True), ("appointment", "video", True)}
        wait_until(
            lambda: copies <= {(e["from"], e["to"], e["linked"]) for e in told("map")["edges"]}, "both copies", 60
        )
        services = dict.fromkeys(("appointment", "doctor", "video", "gateway"), "ready")
        well = {"console": "running", "postgres": "running", **services}
        wait_until(lambda: {p["name"]: p["state"] for p in told("health")["processes"]} == well, "all are well", 60)
        assert told("analytics")["total"]["smart_bookings"] >= 1
    assert stack.stop() == 0
    assert "Traceback" not in "".join(log.read_text() for log in (stack.data / "logs").iterdir())
