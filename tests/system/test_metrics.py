"""Every process shows its numbers, and a booking can be read off them."""

import re
import uuid

import httpx
import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from tests.fix_clinic import Clinic, in_days
from tests.metrics_page import documented

SAMPLE = re.compile(r"^(\w+)(\{.*\})? (\S+)$")
PROCESSES = {"gateway": 4, "appointment": 5, "doctor": 6, "video": 7}


def numbers_of(clinic: Clinic, process: str, accept: str = "text/plain") -> str:
    page = httpx.get(f"http://127.0.0.1:{clinic.port + PROCESSES[process]}/metrics", headers={"accept": accept})
    assert page.status_code == 200
    return page.text


def value(text: str, name: str, *labels: str) -> float:
    """The sum of the samples that have all these labels."""
    found = [SAMPLE.match(line) for line in text.splitlines()]
    return sum(float(m[3]) for m in found if m and m[1] == name and all(label in (m[2] or "") for label in labels))


def test_a_booking_is_counted_by_every_process_on_its_way(clinic: Clinic):
    doctor_id = clinic.new_doctor()
    wish = {
        "patient_id": str(uuid.uuid4()),
        "doctor_id": doctor_id,
        "appointment_date": f"{in_days(8)}T10:00:00Z",
        "appointment_type": "GeneralConsultation",
        "timezone": "UTC",
    }
    before = {process: numbers_of(clinic, process) for process in PROCESSES}
    clinic.ok("POST", "/appointments/book", wish)
    after = {process: numbers_of(clinic, process) for process in PROCESSES}

    def rise(process: str, name: str, *labels: str) -> float:
        return value(after[process], name, *labels) - value(before[process], name, *labels)

    book = 'rpc_method="telemed.appointment.v1.AppointmentService/Book"'
    assert rise("gateway", "http_server_request_duration_seconds_count", "/appointments/book", '"200"') >= 1
    assert rise("gateway", "rpc_client_call_duration_seconds_count", book, '"OK"') >= 1
    assert rise("appointment", "rpc_server_call_duration_seconds_count", book, '"OK"') >= 1
    assert rise("appointment", "telemed_booking_attempts_total", '"Book"', '"BOOKED"') >= 1
    assert rise("appointment", "db_client_operation_duration_seconds_count", 'db_query_summary="book"') >= 1
    assert rise("doctor", "rpc_server_call_duration_seconds_count", "MatchDoctors", '"OK"') >= 1
    for copy in ("doctor", "video"):
        assert "telemed_feed_lag_changes " in after[copy]
    for service in ("appointment", "doctor", "video"):
        assert value(after[service], "db_client_connection_max") >= 1


def test_a_refusal_is_counted_by_its_reason(clinic: Clinic):
    doctor_id = clinic.new_doctor()
    before = numbers_of(clinic, "appointment")
    clinic.call(
        "POST",
        "/appointments/book",
        {
            "patient_id": str(uuid.uuid4()),
            "doctor_id": doctor_id,
            "appointment_date": f"{in_days(8)}T03:00:00Z",
            "appointment_type": "GeneralConsultation",
            "timezone": "UTC",
        },
    )
    after = numbers_of(clinic, "appointment")
    outside = ("telemed_booking_attempts_total", '"Book"', '"OUTSIDE_WORKING_HOURS"')
    assert value(after, *outside) - value(before, *outside) >= 1


OPENMETRICS = "application/openmetrics-text; version=1.0.0"
# Made for every process by code that all of them share, and of no use to one that serves no RPC and has no database.
NOT_OF_A_GATEWAY = {name for name in documented()["doctor"] if name not in documented()["gateway"]}
NOT_OF_A_SERVICE = {"http_server_request_duration_seconds"}


@pytest.mark.parametrize("process", PROCESSES)
def test_a_process_shows_the_metrics_of_the_page_and_no_others(clinic: Clinic, process: str):
    pages = documented()[process]
    text = numbers_of(clinic, process, OPENMETRICS)
    families = {_name_of(family): family for family in text_string_to_metric_families(text)}
    idle = NOT_OF_A_GATEWAY if process == "gateway" else NOT_OF_A_SERVICE
    for name in idle & set(families):
        values = [s.value for s in families.pop(name).samples if not s.name.endswith("_created")]
        assert not any(values), f"{name} is documented elsewhere only"
    assert set(families) == set(pages)
    for name, family in families.items():
        assert pages[name].type in (family.type, "process"), name
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == pages[name].labels, name


def _name_of(family: Metric) -> str:
    return f"{family.name}_total" if family.type == "counter" else family.name


def test_the_page_is_also_told_in_openmetrics(clinic: Clinic):
    text = numbers_of(clinic, "appointment", OPENMETRICS)
    assert text.endswith("# EOF\n")
