"""Where this service's SQL lies: its statements by name, and the steps of its schema."""

from pathlib import Path

from chassis.sql import Queries

_HERE = Path(__file__).parent
COPIES = Queries(_HERE / "queries.sql")
ATTEMPTS = Queries(_HERE / "attempts.sql")
OUTBOX = Queries(_HERE / "outbox.sql")
QUALITY = Queries(_HERE / "quality.sql")
SESSIONS = Queries(_HERE / "sessions.sql")
SIGNALS = Queries(_HERE / "signals.sql")
# Notified with the id of a session in which something has happened.
CHANNEL = "video_session"
MIGRATIONS = _HERE / "migrations"
