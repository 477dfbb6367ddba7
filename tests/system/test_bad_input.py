"""Whatever a client sends, it gets a clear 4xx and nothing is stored."""

from typing import Any
from uuid import uuid4

import pytest

from chassis.context import Role
from tests.fix_clinic import ADMIN, Clinic, in_days

DAY = in_days(8).isoformat()
COUNTS = """SELECT (SELECT count(*) FROM appointment), (SELECT count(*) FROM doctor_claim),
                   (SELECT count(*) FROM event), (SELECT count(*) FROM idempotency)"""
SMART: dict[str, Any] = {"patient_id": str(uuid4()), "appointment_type": "GeneralConsultation"}
BOOK: dict[str, Any] = SMART | {"doctor_id": str(uuid4()), "appointment_date": f"{DAY}T10:00:00Z"}


def refused(clinic: Clinic, path: str, *, content: bytes | None = None, json: Any = None, **headers: str) -> Any:
    """The problem that a POST is answered with; fails unless it is a true 4xx problem that stored nothing."""
    before = clinic.rows("appointment", COUNTS)
    sent = clinic.headers() | {"Content-Type": "application/json"} | headers
    body = {"json": json} if content is None else {"content": content}
    answer = clinic.http.post(path, headers=sent, **body)  # type: ignore[arg-type]
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == answer.status_code
    assert "Traceback" not in answer.text
    assert ".py" not in answer.text
    assert clinic.rows("appointment", COUNTS) == before
    return problem


@pytest.mark.parametrize(
    ("path", "change", "field"),
    [
        ("/appointments/smart-book", {"patient": "x"}, "patient"),
        ("/appointments/smart-book", {"duration_minutes": "30"}, "duration_minutes"),
        ("/appointments/smart-book", {"duration_minutes": 30.5}, "duration_minutes"),
        ("/appointments/smart-book", {"duration_minutes": True}, "duration_minutes"),
        ("/appointments/smart-book", {"duration_minutes": -30}, "duration_minutes"),
        ("/appointments/smart-book", {"duration_minutes": 241}, "duration_minutes"),
        ("/appointments/smart-book", {"duration_minutes": 10**12}, "duration_minutes"),
        ("/appointments/smart-book", {"patient_id": "not-a-uuid"}, "patient_id"),
        ("/appointments/smart-book", {"patient_id": 7}, "patient_id"),
        ("/appointments/smart-book", {"patient_id": "{" + str(uuid4()) + "}"}, "patient_id"),
        ("/appointments/smart-book", {"preferred_date": "2026-02-30"}, "preferred_date"),
        ("/appointments/smart-book", {"preferred_date": "tomorrow"}, "preferred_date"),
        ("/appointments/smart-book", {"preferred_date": DAY, "preferred_time_start": "25:00"}, "preferred_time_start"),
        ("/appointments/smart-book", {"preferred_time_start": "09:00"}, "preferred_date"),
        (
            "/appointments/smart-book",
            {"preferred_date": DAY, "preferred_time_start": "12:00", "preferred_time_end": "09:00"},
            "preferred_time_end",
        ),
        ("/appointments/smart-book", {"timezone": "Mars/Olympus"}, "timezone"),
        ("/appointments/smart-book", {"timezone": "America"}, "timezone"),
        ("/appointments/smart-book", {"timezone": "../../etc/passwd"}, "timezone"),
        ("/appointments/smart-book", {"appointment_type": "Surgery"}, "appointment_type"),
        ("/appointments/smart-book", {"appointment_type": 1}, "appointment_type"),
        ("/appointments/smart-book", {"appointment_type": None}, "appointment_type"),
        ("/appointments/smart-book", {"patient_notes": "x" * 2001}, "patient_notes"),
        ("/appointments/smart-book", {"patient_notes": "a\x00b"}, "patient_notes"),
        ("/appointments/smart-book", {"specialty_required": "x" * 101}, "specialty_required"),
        ("/appointments/book", {"appointment_date": "2026-13-01T00:00:00Z"}, "appointment_date"),
        ("/appointments/book", {"appointment_date": None}, "appointment_date"),
        ("/appointments/book", {"appointment_date": f"{DAY}T10:00:30Z"}, "appointment_date"),
        ("/appointments/book", {"appointment_date": "9999-12-31T23:59:59.999999999Z"}, "appointment_date"),
        ("/appointments/book", {"doctor_id": "x"}, "doctor_id"),
    ],
)
def test_a_bad_field_is_named(clinic: Clinic, path: str, change: dict[str, Any], field: str):
    good = SMART if path.endswith("smart-book") else BOOK
    problem = refused(clinic, path, json=good | change)
    assert [violation["field"] for violation in problem["violations"]] == [field]


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"{", 400),
        (b"[]", 400),
        (b'"text"', 400),
        (b"\xff\xfe", 400),
        (b'{"patient_id": "a", "patient_id": "b"}', 400),
        (b'{"duration_minutes": NaN}', 400),
        (b'{"duration_minutes": 1e999}', 400),
        (b"[" * 30_000, 400),
        (b'{"patient_notes": "' + b"x" * 1_000_000 + b'"}', 413),
    ],
)
def test_a_body_that_is_no_request_is_refused(clinic: Clinic, content: bytes, status: int):
    assert refused(clinic, "/appointments/smart-book", content=content)["status"] == status


def test_a_body_of_another_type_is_refused(clinic: Clinic):
    problem = refused(
        clinic, "/appointments/book", content=b"a=b", **{"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert problem["status"] == 415


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer a.b.c", "Basic Zm9vOmJhcg==", "Bearer " + "x" * 4000])
def test_without_a_good_token_nothing_is_done(clinic: Clinic, authorization: str):
    problem = refused(clinic, "/appointments/smart-book", json=SMART, Authorization=authorization)
    assert (problem["status"], problem["reason"]) == (401, "UNAUTHENTICATED")


def test_a_token_of_another_issuer_is_refused(clinic: Clinic, callers: Any):
    foreign = callers.token(Role.ADMIN, ADMIN)
    problem = refused(clinic, "/appointments/smart-book", json=SMART, Authorization=f"Bearer {foreign}")
    assert problem["status"] == 401


def test_a_patient_cannot_book_for_another(clinic: Clinic):
    token = clinic.token(Role.PATIENT, str(uuid4()))
    problem = refused(clinic, "/appointments/book", json=BOOK, Authorization=f"Bearer {token}")
    assert (problem["status"], problem["reason"]) == (403, "PERMISSION_DENIED")


def test_an_unknown_doctor_does_not_exist(clinic: Clinic):
    problem = refused(clinic, "/appointments/book", json=BOOK)
    assert (problem["status"], problem["reason"]) == (404, "DOCTOR_NOT_FOUND")


def test_an_unknown_path_and_a_wrong_verb_are_told_apart(clinic: Clinic):
    assert refused(clinic, "/appointments/smart", json={})["status"] == 405
    assert refused(clinic, "/nowhere", json={})["status"] == 404


def test_the_same_key_twenty_times_at_once_books_once_and_with_another_body_never(clinic: Clinic):
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - real threads, for real HTTP connections

    doctor, patient, key = clinic.new_doctor(), str(uuid4()), str(uuid4())
    wish = BOOK | {"doctor_id": doctor, "patient_id": patient, "appointment_date": f"{DAY}T09:00:00Z"}
    headers = clinic.headers() | {"Idempotency-Key": key}
    with ThreadPoolExecutor(20) as pool:
        answers = list(
            pool.map(lambda _: clinic.http.post("/appointments/book", json=wish, headers=headers), range(20))
        )
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    listed = clinic.ok("GET", "/appointments", patient_id=patient)
    assert len(listed["appointments"]) == 1
    problem = refused(clinic, "/appointments/book", json=wish | {"duration_minutes": 25}, **{"Idempotency-Key": key})
    assert (problem["status"], problem["reason"]) == (422, "IDEMPOTENCY_KEY_REUSED")
