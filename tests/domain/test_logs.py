"""A log line tells what is on the list and nothing else, whoever writes it."""

import logging
import sys
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from chassis.decisions import decided
from chassis.logs import JsonFormatter, TextFormatter, note_bug, start_logging
from chassis.settings import SharedSettings

PRIVATE = "Jane Doe has a rash"


def record(name: str, message: str, *args: Any, error: BaseException | None = None, **extra: Any) -> logging.LogRecord:
    made = logging.LogRecord(name, logging.WARNING, "somewhere.py", 1, message, args, None)
    made.exc_info = (type(error), error, error.__traceback__) if error else None
    vars(made).update(extra)
    return made


def as_json(made: logging.LogRecord) -> dict[str, Any]:
    line = JsonFormatter("doctor").format(made)
    assert PRIVATE not in line
    assert "\n" not in line
    told: dict[str, Any] = orjson.loads(line)
    return told


def as_text(made: logging.LogRecord) -> str:
    line = TextFormatter().format(made)
    assert PRIVATE not in line
    assert "\n" not in line
    return line


def raised(error: Exception) -> Exception:
    with pytest.raises(type(error)) as caught:
        raise error
    return caught.value


def test_a_field_of_the_list_is_told():
    made = record("telemed.access", "rpc", rpc_method="S/M", rpc_status="OK", duration_ms=1.5)
    assert as_json(made).items() >= {"rpc_method": "S/M", "rpc_status": "OK", "duration_ms": 1.5}.items()
    assert as_text(made).endswith("WARNING telemed.access: rpc rpc_method=S/M rpc_status=OK duration_ms=1.5")


def test_of_a_field_that_is_not_on_the_list_the_name_alone_is_told():
    made = record("telemed.access", "rpc", patient_notes=PRIVATE, rpc_status="OK")
    told = as_json(made)
    assert told["unlisted"] == "patient_notes"
    assert "patient_notes" not in told
    assert as_text(made).endswith("rpc_status=OK unlisted=patient_notes")


def test_an_exception_is_told_by_kind_and_place():
    made = record("chassis.background", "failed", error=raised(ValueError(PRIVATE)))
    assert as_json(made)["exception"].startswith("ValueError at domain/test_logs.py:")
    assert "exception=ValueError at domain/test_logs.py:" in as_text(made)


@pytest.mark.parametrize(
    ("message", "args", "told"),
    [
        ("error connecting in %r: %s", ("pool-1", OSError(PRIVATE)), "error connecting in 'str': OSError"),
        (f"Task exception was never retrieved\nfuture: <{PRIVATE}>", (), "Task exception was never retrieved"),
        ("%d of %d, %s", (1, 2, PRIVATE), "1 of 2, str"),
        ("%(who)s", ({"who": PRIVATE},), "str"),
        ("%d", (PRIVATE,), "%d"),
    ],
)
def test_of_a_library_s_message_what_was_put_into_it_is_told_by_its_kind(
    message: str, args: tuple[Any, ...], told: str
):
    made = record("psycopg.pool", message, *args)
    assert as_json(made)["message"] == told
    assert f"psycopg.pool: {told}" in as_text(made)


def test_a_bug_is_told_by_kind_and_place(caplog: pytest.LogCaptureFixture):
    note_bug(raised(KeyError(PRIVATE)), rpc_method="S/M")
    told = as_json(caplog.records[0])
    assert told["message"] == "unexpected KeyError"
    assert told["where"].startswith("domain/test_logs.py:")


def test_a_decision_is_one_line(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    decided("booking", "refused", method="smart", reason="SLOT_TAKEN", overridden_rules="")
    (made,) = caplog.records
    told = as_json(made)
    assert told.items() >= {"decision": "booking", "outcome": "refused", "reason": "SLOT_TAKEN"}.items()
    assert "overridden_rules" not in told


def test_levels_are_those_of_the_settings(monkeypatch: pytest.MonkeyPatch):
    root = logging.getLogger()
    before = root.handlers[:], root.level
    monkeypatch.setenv("TELEMED_JWKS_URL", "https://issuer.example/jwks")
    monkeypatch.setenv("TELEMED_TOKEN_ISSUER", "issuer")
    monkeypatch.setenv("TELEMED_LOG_LEVEL", "warning")
    monkeypatch.setenv("TELEMED_LOG_LEVELS", '{"test.quiet": "ERROR", "test.loud": "debug"}')
    settings = SharedSettings()
    try:
        start_logging("doctor", settings.log_level, as_json=settings.log_json, levels=settings.log_levels)
        assert root.level == logging.WARNING
        assert logging.getLogger("test.quiet.below").getEffectiveLevel() == logging.ERROR
        assert logging.getLogger("test.loud").getEffectiveLevel() == logging.DEBUG
        assert root.handlers[0].stream is sys.stderr  # type: ignore[attr-defined]  # a stream handler
    finally:
        root.handlers[:], root.level = before


def test_a_level_that_there_is_not_is_said_at_the_start(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TELEMED_JWKS_URL", "https://issuer.example/jwks")
    monkeypatch.setenv("TELEMED_TOKEN_ISSUER", "issuer")
    monkeypatch.setenv("TELEMED_LOG_LEVELS", '{"telemed.access": "LOUD"}')
    with pytest.raises(ValidationError, match="'DEBUG', 'INFO', 'WARNING' or 'ERROR'"):
        SharedSettings()
