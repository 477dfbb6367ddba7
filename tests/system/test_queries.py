"""A real Prometheus scrapes the running clinic: no rule and no panel has an error, and no panel is empty."""

import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest
import yaml

from tests.fix_clinic import Clinic, in_days
from tests.fix_stack import ROOT, free_ports, wait_until
from tests.promql import RULES, Query, queries

PROCESSES = {"gateway": 4, "appointment": 5, "doctor": 6, "video": 7}
# Panels that a healthy clinic without a provider leaves empty: what they show has not happened.
NOTHING_HAPPENED = {
    "services: HTTP: share of server errors": "no request failed",
    "services: RPC: calls that failed, by code": "no call failed",
    "services: Retries": "nothing was tried again",
    "services: Booking: burn of the error budget": "no request failed, so there is no share of failures",
    "services: Background work that failed": "none did, or none did again",
    "postgresql: Statements that failed": "none did",
    "booking: Holds": "no hold has run out within a test's time",
    "ledger: Done by time alone": "nothing was due",
    "video: Ratings": "no visit has been rated yet",
    "video: What was wrong": "nothing was measured",
    "video: Provider: calls": "visits go peer to peer",
    "video: Provider: failures": "visits go peer to peer",
    "video: Provider: duration": "visits go peer to peer",
}


@pytest.fixture(scope="module")
def prometheus(clinic: Clinic, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Scrapes and evaluates every second."""
    binary = shutil.which("prometheus")
    if binary is None:
        pytest.skip("needs prometheus (Debian: prometheus)")
    folder = tmp_path_factory.mktemp("prometheus")
    config = folder / "prometheus.yml"
    config.write_text(yaml.safe_dump(_config(clinic)))
    port = free_ports(1)
    command = [
        binary,
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--enable-feature=exemplar-storage",
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            wait_until(lambda: _is_ready(client), (folder / "log").read_text(), 60)
            yield client
    finally:
        process.terminate()
        process.wait(30)


def _config(clinic: Clinic) -> dict[str, Any]:
    return {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(RULES / "*.yml")],
        "scrape_configs": [
            {"job_name": name, "static_configs": [{"targets": [f"127.0.0.1:{clinic.port + offset}"]}]}
            for name, offset in PROCESSES.items()
        ],
    }


def _is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("/-/ready").status_code == 200
    except httpx.TransportError:
        return False


def ask(prometheus: httpx.Client, query: str) -> list[Any]:
    answer = prometheus.get("/api/v1/query", params={"query": query.replace("$__rate_interval", "1m")}).json()
    assert answer["status"] == "success", f"{query}: {answer.get('error')}"
    return list(answer["data"]["result"])


def a_day_at_the_clinic(clinic: Clinic) -> None:
    """Bookings in every way, a conflict, a hold, a repeat, a refusal, and an audit."""
    doctor_id = clinic.new_doctor()

    def wish(time: str, **more: str) -> dict[str, str]:
        kind = {"appointment_type": "GeneralConsultation", "timezone": "UTC", "patient_id": str(uuid.uuid4())}
        return {**kind, "doctor_id": doctor_id, "appointment_date": f"{in_days(9)}T{time}:00Z", **more}

    clinic.call("POST", "/appointments/book", wish("09:00", request_id=(key := str(uuid.uuid4())), patient_id=key))
    clinic.call("POST", "/appointments/book", wish("09:00", request_id=key, patient_id=key))
    clinic.call("POST", "/appointments/book", wish("09:00"))
    clinic.call("POST", "/appointments/book", wish("03:00"))
    held = clinic.ok("POST", "/appointments/hold", wish("10:20"))
    clinic.ok("POST", f"/appointments/{held['appointment']['id']}/confirm", {})
    smart = {"appointment_type": "GeneralConsultation", "timezone": "UTC", "patient_id": str(uuid.uuid4())}
    clinic.call("POST", "/appointments/smart-book", smart)
    command = [sys.executable, "-m", "stack.cli", "audit", "verify", "--note", "--data", str(clinic.data)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)


def test_every_query_is_answered_and_shows_something(prometheus: httpx.Client, clinic: Clinic):
    a_day_at_the_clinic(clinic)
    a_day_at_the_clinic(clinic)
    wait_until(lambda: len(ask(prometheus, "up == 1")) == len(PROCESSES), "all are scraped", 60)
    asked = [query for query in queries() if ": " in query.where]

    def empty() -> list[Query]:
        return [query for query in asked if not ask(prometheus, query.text) and query.where not in NOTHING_HAPPENED]

    with suppress(AssertionError):
        wait_until(lambda: not empty(), "every panel shows something", 90)
    assert [query.where for query in empty()] == []


def test_every_rule_is_evaluated_without_an_error(prometheus: httpx.Client):
    def rules() -> list[dict[str, Any]]:
        groups = prometheus.get("/api/v1/rules").json()["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]

    wait_until(lambda: all(rule["health"] != "unknown" for rule in rules()), "each was evaluated", 60)
    assert {rule["name"]: rule.get("lastError", "") for rule in rules() if rule["health"] != "ok"} == {}
    assert len(rules()) == len([query for query in queries() if ": " not in query.where])
