"""The outbox in PostgreSQL: written with what it tells of, taken in the order of each session."""

from collections.abc import Sequence

from chassis.db import Database
from video_svc.app.tell_appointments import Due
from video_svc.domain.consequences import Notice
from video_svc.storage.sql import OUTBOX

_TAKE = OUTBOX["take_notices"]
_PUT_OFF = OUTBOX["put_off_notice"]
_DROP = OUTBOX["drop_notice"]
_COUNT = OUTBOX["count_notices"]


class PostgresOutbox:
    """Keeps the promises of video_svc.app.tell_appointments.Outbox. Its times are the database's own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self) -> Sequence[Due]:
        """The oldest notice of each session that is due."""
        return [
            Due(
                notice_id=row["notice_id"],
                appointment_id=row["appointment_id"],
                notice=Notice(row["notice"]),
                traceparent=row["traceparent"],
                tries=row["tries"],
                age_seconds=row["age_seconds"],
            )
            for row in await self._database.all(_TAKE)
        ]

    async def put_off(self, notice_id: str, seconds: float) -> None:
        """Makes a notice due again later."""
        await self._database.execute(_PUT_OFF, {"notice_id": notice_id, "seconds": seconds})

    async def drop(self, notice_id: str) -> None:
        """Forgets a notice."""
        await self._database.execute(_DROP, {"notice_id": notice_id})

    async def waiting(self) -> int:
        """How many notices there are."""
        row = await self._database.one(_COUNT)
        return int(row["waiting"]) if row else 0
