"""Tickets of event streams in PostgreSQL: only their hashes are kept, and each is taken away when it is used."""

import hashlib
import secrets
from datetime import datetime

from chassis.context import Caller, Role
from chassis.db import Database
from video_svc.storage.sql import SIGNALS

_KEEP = SIGNALS["keep_ticket"]
_REDEEM = SIGNALS["redeem_ticket"]
_DROP_OLD = SIGNALS["drop_old_tickets"]
_BYTES = 32


class PostgresTickets:
    """Keeps the promises of video_svc.app.ports.Tickets."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def issue(self, session_id: str, caller: Caller, expires: datetime) -> str:
        """A new ticket of 256 random bits."""
        ticket = secrets.token_urlsafe(_BYTES)
        parameters = {
            "ticket_hash": _hash(ticket),
            "session_id": session_id,
            "subject": caller.subject,
            "role": caller.role.value,
            "delegate": caller.delegate,
            "expire_time": expires,
        }
        await self._database.execute(_KEEP, parameters)
        return ticket

    async def redeem(self, ticket: str, now: datetime) -> Caller | None:
        """Whom the ticket was made for; None when it is not good. A second time it never is."""
        row = await self._database.one(_REDEEM, {"ticket_hash": _hash(ticket), "now": now})
        if row is None or not row["is_good"]:
            return None
        subject, role = row["subject"], Role(row["role"])
        return Caller(subject, role, token="", confined_to=row["session_id"], delegate=row["delegate"])

    async def forget(self, now: datetime) -> None:
        """Forgets tickets that have run out."""
        await self._database.execute(_DROP_OLD, {"now": now})


def _hash(ticket: str) -> bytes:
    return hashlib.sha256(ticket.encode()).digest()
