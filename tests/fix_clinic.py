"""One whole clinic with its demo data for all journeys of a worker: the real stack, HTTP and gRPC clients, tokens."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx
import psycopg
import pytest

from chassis.context import Role
from stack.issuer import Issuer
from stack.state import State
from tests.fix_stack import ROOT, free_ports, wait_until

ADMIN = str(uuid4())


@dataclass(frozen=True)
class Clinic:
    """The running stack as a client of it sees it."""

    data: Path
    port: int
    http: httpx.Client = field(repr=False)

    @property
    def state(self) -> State:
        state = State.read(self.data)
        assert state is not None
        return state

    def token(self, role: Role = Role.ADMIN, subject: str = ADMIN) -> str:
        now = datetime.now(UTC)
        return _issuer(self.data).mint(role, subject, now=now, ttl=timedelta(minutes=30))

    def headers(self, role: Role = Role.ADMIN, subject: str = ADMIN) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token(role, subject)}"}

    def metadata(self, role: Role = Role.ADMIN, subject: str = ADMIN) -> list[tuple[str, str]]:
        return [("authorization", f"Bearer {self.token(role, subject)}")]

    def call(
        self, verb: str, path: str, body: Any = None, *, who: tuple[Role, str] = (Role.ADMIN, ADMIN), **query: str
    ) -> httpx.Response:
        url = f"{path}?{urlencode(query)}" if query else path
        return self.http.request(verb, url, json=body, headers=self.headers(*who))

    def ok(
        self, verb: str, path: str, body: Any = None, *, who: tuple[Role, str] = (Role.ADMIN, ADMIN), **query: str
    ) -> Any:
        answer = self.call(verb, path, body, who=who, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def target(self, service: str) -> str:
        return f"127.0.0.1:{self.port + ['gateway', 'appointment', 'doctor', 'video'].index(service)}"

    def rows(self, service: str, statement: str) -> list[tuple[Any, ...]]:
        """What a query of a service's own database answers."""
        with psycopg.connect(self.state.database_urls[service], autocommit=True) as connection:
            return connection.execute(statement).fetchall()  # type: ignore[arg-type]  # a test's own text

    def new_doctor(self, *, zone: str = "UTC", specialty: str = "Cardiology", days: range = range(7)) -> str:
        """A verified doctor who works 09:00 to 12:00 and 14:00 to 17:00 on those days of the week."""
        doctor = self.ok(
            "POST",
            "/doctors",
            {
                "first_name": "John",
                "last_name": "Smith",
                "specialty": specialty,
                "timezone": zone,
                "years_experience": 9,
            },
        )
        path = f"/doctors/{doctor['doctor_id']}"
        self.ok("POST", f"{path}/verify", {})
        for day in days:
            self.ok("POST", f"{path}/availability", {**WEEKDAY_RULE, "day_of_week": day})
        return str(doctor["doctor_id"])


WEEKDAY_RULE = json.loads(
    """{"day_of_week": 1, "duration_minutes": 30, "morning_start_time": "09:00", "morning_end_time": "12:00",
        "afternoon_start_time": "14:00", "afternoon_end_time": "17:00", "appointment_type": "GeneralConsultation",
        "buffer_minutes": 10, "max_concurrent_appointments": 1}"""
)


def in_days(days: int) -> date:
    """A day of the UTC calendar, counted from today."""
    return datetime.now(UTC).date() + timedelta(days=days)


@cache
def _issuer(data: Path) -> Issuer:
    return Issuer.of(data)


@contextmanager
def running_clinic(*options: str, **environment: str) -> Iterator[Clinic]:
    """A stack with the demo's data, started with those variables on top of the test's own."""
    with tempfile.TemporaryDirectory(prefix="telemed-clinic-") as folder:
        data, port = Path(folder), free_ports()
        data.chmod(0o755)
        console = data / "console.log"
        command = [sys.executable, "-m", "stack.cli", "up", "--no-console", "--data", str(data)]
        command += ["--port", str(port), *options]
        with console.open("wb") as output:
            env = os.environ | environment
            process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, env=env)
        try:
            wait_until(lambda: b"is ready." in console.read_bytes() or process.poll() is not None, "ready", 240)
            assert process.poll() is None, console.read_text()
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
                yield Clinic(data, port, client)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


@pytest.fixture(scope="session")
def clinic() -> Iterator[Clinic]:
    """Started once a worker, with the demo's data; tests keep out of each other's way by doctors of their own."""
    with running_clinic() as started:
        yield started
