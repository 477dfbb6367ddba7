"""The events of an appointment on PostgreSQL."""

from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any

from appointment_svc.domain.history import Event
from appointment_svc.domain.overriding import OverridableRule
from appointment_svc.storage.rows import appointment_of
from chassis.db import Database
from chassis.sql import Queries

_QUERIES = Queries(Path(__file__).with_name("history.sql"))


@dataclass(frozen=True, slots=True)
class PostgresHistory:
    """Implements app.list_events.History."""

    database: Database

    async def events(self, appointment_id: str, after: int, limit: int) -> list[Event]:
        """See the port."""
        page = {"appointment_id": appointment_id, "after": after, "limit": limit}
        return [event_of(row) for row in await self.database.all(_QUERIES["list_events"], page)]


def event_of(row: dict[str, Any]) -> Event:
    """The event in a row."""
    return Event(
        number=row["event_id"],
        version=row["version"],
        kind=row["kind"],
        time=row["event_time"].astimezone(UTC),
        actor_id=row["actor_subject"],
        actor_role=row["actor_role"],
        delegate_id=row["acted_by"] or "",
        reason=row["reason"],
        before=appointment_of(row["before"]) if row["before"] else None,
        after=appointment_of(row["after"]),
        traceparent=row["traceparent"],
        overridden=tuple(map(OverridableRule, row["overridden_rules"] or ())),
    )
