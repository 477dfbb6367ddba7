"""Rules that were set aside, written into the history beside the change that they were set aside for."""

from datetime import datetime
from pathlib import Path

from appointment_svc.domain.overriding import RuleOverride
from chassis.context import Caller
from chassis.db import Session
from chassis.sql import Queries
from chassis.telemetry import current_traceparent

_NOTE = Queries(Path(__file__).with_name("overrides.sql"))["note_override"]


async def note_override(
    session: Session, appointment_id: str, override: RuleOverride, caller: Caller, now: datetime
) -> None:
    """Writes the event, in the transaction of the session; the appointment's version is one more after it."""
    await session.one(
        _NOTE,
        {
            "appointment_id": appointment_id,
            "rules": [rule.value for rule in override.rules],
            "reason": override.reason,
            "caller": caller.subject,
            "caller_role": caller.role.value,
            "now": now,
            "traceparent": current_traceparent(),
        },
    )
