"""Refusals as problem details: every code, every detail, and nothing that should stay inside."""

import orjson
import pytest
from google.protobuf import any_pb2, duration_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from telemed.type.v1 import scheduling_pb2

from chassis.rpc_errors import RemoteRefusal
from gateway.codec.encode import Encoder
from gateway.problems import problem_of
from kernel.errors import InvalidArgument, Kind, Unauthenticated

ENCODER = Encoder()


def remote(code: int, message: str = "no", *details) -> RemoteRefusal:
    status = status_pb2.Status(code=code, message=message)
    for detail in details:
        packed = any_pb2.Any()
        packed.Pack(detail)
        status.details.append(packed)
    return RemoteRefusal(status, Kind.ABORTED, "ANY")


def document(error: Exception, body_field: str = "") -> dict:
    problem, _ = problem_of(error, ENCODER, body_field)
    return orjson.loads(problem.answer("/a/b", "trace").body)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("INVALID_ARGUMENT", 400),
        ("FAILED_PRECONDITION", 400),
        ("OUT_OF_RANGE", 400),
        ("UNAUTHENTICATED", 401),
        ("PERMISSION_DENIED", 403),
        ("NOT_FOUND", 404),
        ("ABORTED", 409),
        ("ALREADY_EXISTS", 409),
        ("RESOURCE_EXHAUSTED", 429),
        ("CANCELLED", 499),
        ("UNKNOWN", 500),
        ("INTERNAL", 500),
        ("DATA_LOSS", 500),
        ("UNIMPLEMENTED", 501),
        ("UNAVAILABLE", 503),
        ("DEADLINE_EXCEEDED", 504),
    ],
)
def test_every_code_has_its_status_and_is_the_reason_when_nothing_says_more(code, status):
    found = document(remote(code_pb2.Code.Value(code)))
    assert (found["status"], found["reason"]) == (status, code)


def test_a_reused_idempotency_key_is_the_one_exception():
    info = error_details_pb2.ErrorInfo(reason="IDEMPOTENCY_KEY_REUSED", domain="telemed")
    assert document(remote(code_pb2.INVALID_ARGUMENT, "no", info))["status"] == 422


def test_a_problem_says_what_happened_and_what_would_work_instead():
    offer = scheduling_pb2.AlternativeSlot(doctor_id="d", duration_minutes=30, appointment_type=3)
    error = remote(
        code_pb2.ABORTED,
        "this time has just been taken",
        error_details_pb2.ErrorInfo(reason="SLOT_TAKEN", domain="telemed"),
        scheduling_pb2.Alternatives(slots=[offer]),
    )
    found = document(error)
    slots = found.pop("alternatives")
    assert found == {
        "type": "urn:telemed:error:slot-taken",
        "title": "Slot taken",
        "status": 409,
        "detail": "this time has just been taken",
        "instance": "/a/b",
        "reason": "SLOT_TAKEN",
        "domain": "telemed",
        "trace_id": "trace",
    }
    assert (slots[0]["doctor_id"], slots[0]["appointment_type"]) == ("d", "FollowUp")


def test_violations_are_named_from_inside_the_body():
    bad = error_details_pb2.BadRequest(
        field_violations=[
            error_details_pb2.BadRequest.FieldViolation(field="rule.timezone", description="must be one"),
            error_details_pb2.BadRequest.FieldViolation(field="doctor_id", description="must be a UUID"),
        ]
    )
    found = document(remote(code_pb2.INVALID_ARGUMENT, "rule.timezone: must be one", bad), "rule")
    assert [violation["field"] for violation in found["violations"]] == ["timezone", "doctor_id"]
    assert found["detail"] == "timezone: must be one"


def test_a_retry_hint_becomes_whole_seconds_never_zero():
    for delay, header in ((duration_pb2.Duration(nanos=100_000_000), "1"), (duration_pb2.Duration(seconds=2), "2")):
        info = error_details_pb2.RetryInfo(retry_delay=delay)
        problem, _ = problem_of(remote(code_pb2.UNAVAILABLE, "no", info), ENCODER)
        assert problem.answer("/", "").headers["retry-after"] == header


def test_a_missing_token_is_answered_with_the_scheme_to_use():
    problem, _ = problem_of(Unauthenticated("no"), ENCODER)
    assert problem.answer("/", "").headers["www-authenticate"] == "Bearer"


def test_a_refusal_of_our_own_names_its_field():
    found = document(InvalidArgument.of("date", "must be a date"))
    assert (found["status"], found["violations"]) == (400, [{"field": "date", "description": "must be a date"}])


def test_the_text_of_an_unexpected_exception_stays_inside():
    problem, is_bug = problem_of(RuntimeError("patient Jane Doe"), ENCODER)
    assert is_bug
    assert problem.status == 500
    assert b"Jane" not in problem.answer("/", "").body


def test_details_that_nobody_here_knows_are_left_out():
    error = remote(code_pb2.NOT_FOUND)
    error.answered.details.append(any_pb2.Any(type_url="type.googleapis.com/other.v1.Thing", value=b"\xff"))
    error.answered.details.append(any_pb2.Any(type_url="type.googleapis.com/google.rpc.ErrorInfo", value=b"\xff"))
    assert document(error)["reason"] == "NOT_FOUND"
