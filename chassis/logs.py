"""Logging of a process: one line an event, text or JSON, always with the trace id and never with patient data."""

import logging
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

import orjson

from chassis.log_fields import allowed
from chassis.telemetry import current_trace_id

# Attributes that logging itself puts on a record; everything else came in by `extra`.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
# Whose messages are sentences of ours without anything put into them.
_OURS = frozenset(
    {"telemed", "chassis", "appointment_svc", "doctor_svc", "video_svc", "gateway", "stack", "bench", "kernel"}
)
_FRAMES = 6


def _fields(record: logging.LogRecord) -> dict[str, object]:
    extra = {key: value for key, value in vars(record).items() if key not in _STANDARD}
    return allowed(extra) if extra else extra


def _message(record: logging.LogRecord) -> str:
    """The message; of a library's, what was put into it is reduced to its kind, for it may quote a request or a row."""
    if record.name.partition(".")[0] in _OURS:
        return record.getMessage()
    template = str(record.msg).partition("\n")[0]
    if not record.args:
        return template
    try:
        if isinstance(record.args, Mapping):
            return template % {name: _kind(value) for name, value in record.args.items()}
        return template % tuple(_kind(value) for value in record.args)
    except (TypeError, ValueError, KeyError):
        return template


def _kind(value: object) -> object:
    return value if isinstance(value, (int, float)) else type(value).__name__


class JsonFormatter(logging.Formatter):
    """One JSON object a line; `extra` fields stand beside the message."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        entry: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "service": self._service,
            "logger": record.name,
            "message": _message(record),
            "trace_id": current_trace_id(),
            **_fields(record),
        }
        if record.exc_info:
            entry["exception"] = _exception(record.exc_info)
        return orjson.dumps(entry, default=str).decode()


class TextFormatter(logging.Formatter):
    """The same for eyes: time, level, logger, message, then the extra fields as key=value."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        fields = _fields(record)
        if trace_id := current_trace_id():
            fields["trace_id"] = trace_id
        if record.exc_info:
            fields["exception"] = _exception(record.exc_info)
        pairs = " ".join(f"{key}={value}" for key, value in fields.items())
        line = f"{self.formatTime(record)} {record.levelname:<7} {record.name}: {_message(record)}"
        return f"{line} {pairs}".rstrip()


def start_logging(service: str, level: str, *, as_json: bool, levels: Mapping[str, str] | None = None) -> None:
    """Sends every record of this process to standard error.

    `levels` are those of single loggers and all below them, by name; where it says nothing, `level` counts.
    """
    # Who wrote a line, in which thread and task, is not shown, and finding out costs as much as the rest of the line.
    logging._srcfile = None  # noqa: SLF001 - the way that logging's own guide names
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(service) if as_json else TextFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name, own in (levels or {}).items():
        logging.getLogger(name).setLevel(own.upper())


_error_log = logging.getLogger("telemed.errors")


def note_bug(error: BaseException, **fields: object) -> None:
    """Logs an exception that nobody foresaw: its kind and place, not its text, which may quote a request."""
    _error_log.error("unexpected %s", type(error).__name__, extra={"where": _where(error.__traceback__), **fields})


def _exception(found: object) -> str:
    """Kind and place of the exception of a record."""
    _, error, trace = found if isinstance(found, tuple) else (None, None, None)
    return f"{type(error).__name__} at {_where(trace)}"


def _where(trace: TracebackType | None) -> str:
    frames = traceback.extract_tb(trace)[-_FRAMES:]
    places = [f"{Path(frame.filename).parent.name}/{Path(frame.filename).name}:{frame.lineno}" for frame in frames]
    return " < ".join(reversed(places))
