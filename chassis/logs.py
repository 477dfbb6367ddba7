"""Logging of a process: one line an event, text or JSON, always with the trace id and never with patient data."""

import logging
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path

import orjson

from chassis.telemetry import current_trace_id

# Attributes that logging itself puts on a record; everything else came in by `extra`.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def _fields(record: logging.LogRecord) -> dict[str, object]:
    return {key: value for key, value in vars(record).items() if key not in _STANDARD}


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
            "message": record.getMessage(),
            "trace_id": current_trace_id(),
            **_fields(record),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(entry, default=str).decode()


class TextFormatter(logging.Formatter):
    """The same for eyes: time, level, logger, message, then the extra fields as key=value."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        fields = _fields(record)
        if trace_id := current_trace_id():
            fields["trace_id"] = trace_id
        pairs = " ".join(f"{key}={value}" for key, value in fields.items())
        return f"{super().format(record)} {pairs}".rstrip()


def start_logging(service: str, level: str, *, as_json: bool) -> None:
    """Sends every record of this process to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(service) if as_json else TextFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


_FRAMES = 6
_error_log = logging.getLogger("telemed.errors")


def note_bug(error: BaseException, **fields: object) -> None:
    """Logs an exception that nobody foresaw: its kind and place, not its text, which may quote a request."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    places = [f"{Path(frame.filename).parent.name}/{Path(frame.filename).name}:{frame.lineno}" for frame in frames]
    where = " < ".join(reversed(places))
    _error_log.error("unexpected %s", type(error).__name__, extra={"where": where, **fields})
