"""Who asks, and the ids of things that really are there, so that requests get further than "not found"."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import uuid4

from chassis.context import Role
from stack.demo_patients import AWAITED_PATIENT
from stack.demo_visits import OPEN_VISIT
from tests.fix_clinic import ADMIN, Clinic, in_days, running_clinic
from tests.fix_stack import wait_until

NOBODY = "nobody"
Pool = Mapping[str, list[Any]]


@dataclass(frozen=True)
class Cast:
    """The callers by name, and the pool of values that stand for a field of that name."""

    clinic: Clinic
    callers: Mapping[str, tuple[Role, str] | None]
    pool: Pool

    def headers(self, name: str) -> dict[str, str]:
        """How a caller says who it is; tokens are short-lived and made anew."""
        who = self.callers[name]
        return {} if who is None else self.clinic.headers(*who)


@contextmanager
def fuzzed_clinic() -> Iterator[Cast]:
    """A whole clinic of its own, whose streams end soon and where nobody counts requests."""
    with running_clinic(
        GATEWAY_STREAM_SECONDS="0.3", GATEWAY_USER_BURST="0", GATEWAY_ADDRESS_BURST="0", TELEMED_LOG_JSON="true"
    ) as clinic:
        yield cast_of(clinic)


def cast_of(clinic: Clinic) -> Cast:
    """The cast of a clinic with the demo's data, which then has visits, a video session and hours of its own."""
    patients = [AWAITED_PATIENT, str(uuid4())]
    doctors = [clinic.ok("GET", f"/appointments/{OPEN_VISIT}")["doctor_id"], clinic.new_doctor()]
    starts = [datetime.combine(in_days(days), time(hour), UTC) for days in (7, 8, 9) for hour in (9, 10, 11, 14)]
    booked = [_book(clinic, patient, doctors[1], start) for patient, start in zip(patients * 2, starts, strict=False)]
    wait_until(lambda: clinic.call("GET", "/video/sessions", appointment_id=OPEN_VISIT).json()["sessions"], "sessions")
    sessions = clinic.ok("GET", "/video/sessions")["sessions"]
    started = clinic.ok(
        "POST",
        f"/video/sessions/{OPEN_VISIT}/start",
        {"participant_type": "patient"},
        who=(Role.PATIENT, AWAITED_PATIENT),
    )
    away = clinic.ok(
        "POST",
        f"/doctors/{doctors[1]}/overrides",
        {"kind": "Vacation", "start_date": str(in_days(40)), "end_date": str(in_days(41))},
    )
    rules = clinic.ok("GET", f"/doctors/{doctors[1]}/availability-rules")["rules"]
    # Few, so that of two that are drawn by themselves the one is often after the other, and on the same morning.
    instants = [start.isoformat().replace("+00:00", "Z") for start in starts[:3]]
    ends = [(start + timedelta(minutes=30)).isoformat().replace("+00:00", "Z") for start in starts[1:3]]
    pool = {
        "patient_id": patients,
        "doctor_id": doctors,
        "id": [OPEN_VISIT, *booked],
        "appointment_id": [OPEN_VISIT, *booked],
        "exclude_appointment_id": booked,
        "session_id": [started["session_id"], *(one["session_id"] for one in sessions[:3])],
        "participant_id": [started["participant_id"]],
        "rule_id": [rule["rule_id"] for rule in rules],
        "override_id": [away["override"]["override_id"]],
        "appointment_date": instants,
        "start_time": instants,
        "end_time": ends,
        "date": [str(in_days(days)) for days in (1, 7, 30)],
        "from_date": [str(in_days(days)) for days in (1, 7)],
        "to_date": [str(in_days(days)) for days in (8, 14)],
        "preferred_date": [str(in_days(days)) for days in (2, 9)],
        "timezone": ["UTC", "America/New_York", "Asia/Kolkata"],
        "specialty_required": ["cardiology"],
        "specialty": ["cardiology"],
        "duration_minutes": [30],
        "attempt": [1],
        "page_size": [2],
        "page_token": [""],
        "at_least_revision": [""],
        "after_revision": [""],
        "etag": [""],
        "kinds": [[]],
        "update_mask": [""],
        "language": ["en"],
        "location": ["US-NY"],
    }
    callers = {
        "patient": (Role.PATIENT, AWAITED_PATIENT),
        "doctor": (Role.DOCTOR, doctors[0]),
        "admin": (Role.ADMIN, ADMIN),
        NOBODY: None,
    }
    return Cast(clinic, callers, pool)


def _book(clinic: Clinic, patient: str, doctor: str, start: datetime) -> str:
    wish = {
        "patient_id": patient,
        "doctor_id": doctor,
        "appointment_date": start.isoformat(),
        "appointment_type": "GeneralConsultation",
    }
    return str(clinic.ok("POST", "/appointments/book", wish)["appointment"]["id"])
