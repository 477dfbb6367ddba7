"""One booking is one connected trace from the browser's request to the last statement, across four processes."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from chassis.context import Role
from stack.demo_patients import FIRST_PATIENT
from stack.issuer import Issuer
from tests.fix_otlp import Received, receiving, tree_of
from tests.fix_stack import StartStack, wait_until

TRACE = "0af7651916cd43dd8448eb211c80319c"
OPENMETRICS = "application/openmetrics-text; version=1.0.0"
NOTE = "my knee hurts since Tuesday"
SMART_BOOK = "telemed.appointment.v1.AppointmentService/SmartBook"
MATCH = "telemed.doctor.v1.DoctorService/MatchDoctors"


def always(spans: list[Received]) -> list[Received]:
    """Those that every booking has: what changes seldom of a doctor may be known already, and is then not read."""
    return [received for received in spans if received.span.name != "get_schedules"]


def test_a_smart_booking_is_one_connected_trace_without_patient_data(
    start_stack: StartStack, monkeypatch: pytest.MonkeyPatch
):
    with receiving() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
        stack = start_stack()
        token = Issuer.of(stack.data).mint(Role.PATIENT, FIRST_PATIENT, now=datetime.now(UTC), ttl=timedelta(minutes=5))
        wish = {
            "patient_id": FIRST_PATIENT,
            "appointment_type": "GeneralConsultation",
            "specialty_required": "cardiology",
            "timezone": "America/New_York",
            "patient_notes": NOTE,
        }
        answer = httpx.post(
            f"http://127.0.0.1:{stack.port}/appointments/smart-book",
            json=wish,
            headers={"Authorization": f"Bearer {token}", "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"},
            timeout=30,
        )
        assert answer.status_code == 200, answer.text
        revision = answer.json()["revision"]
        wait_until(lambda: len(always(receiver.trace(TRACE))) >= 8, "the spans of the booking have arrived")
        wait_until(
            lambda: any(r.span.links and r.span.links[0].trace_id.hex() == TRACE for r in receiver.spans),
            "the copies of the booking are linked to it",
        )
        spans = receiver.trace(TRACE)
        numbers = httpx.get(f"http://127.0.0.1:{stack.port + 5}/metrics", headers={"accept": OPENMETRICS}).text
        everything = b"".join(r.span.SerializeToString() for r in receiver.spans)
    assert tree_of(always(spans)) == [
        "gateway SERVER POST /appointments/smart-book",
        f"  gateway CLIENT {SMART_BOOK}",
        f"    appointment SERVER {SMART_BOOK}",
        f"      appointment CLIENT {MATCH}",
        f"        doctor SERVER {MATCH}",
        "          doctor CLIENT find_schedules",
        "      appointment CLIENT read_diary",
        "      appointment CLIENT book",
    ]
    assert f'trace_id="{TRACE}"' in numbers, "the trace is the exemplar of what was observed of it"
    by_name = {(r.service, r.span.name): r for r in spans}
    server = by_name["gateway", "POST /appointments/smart-book"]
    assert server.attribute("http.route") == "/appointments/smart-book"
    assert server.attribute("http.response.status_code") == 200
    called = by_name["appointment", SMART_BOOK]
    assert (called.attribute("rpc.system.name"), called.attribute("rpc.response.status_code")) == ("grpc", "OK")
    statement = by_name["appointment", "book"]
    assert statement.attribute("db.system.name") == "postgresql"
    assert statement.attribute("db.namespace") == "telemed_appointment"
    for secret in (NOTE, FIRST_PATIENT, revision.split(":")[0], token):
        assert secret.encode() not in everything
