"""The change feed on PostgreSQL: numbers committed events, reads them by number."""

import asyncio
import logging
from dataclasses import dataclass

from appointment_svc.app.ports import FeedChange, FeedPage, FeedReader
from appointment_svc.domain.changes import Change
from appointment_svc.storage.filters import where
from appointment_svc.storage.rows import QUERIES, appointment_of
from chassis.chain_walk import Anchor
from chassis.db import Database
from chassis.signals import Signal
from kernel.revision import ChangeOf, FeedPosition

CHANNEL = "telemed_feed"
logger = logging.getLogger(__name__)
_BATCH = 500
# Wake-ups are a courtesy; this interval holds without them (another replica died before it numbered its own).
_SEQUENCE_SECONDS = 0.25
# The first event after a quiet moment is numbered at once, those behind it gather for so long: a batch costs a
# transaction here and one more in every consumer, and one for each event doubled the database's work under load.
_GATHER_SECONDS = 0.02
# With kinds to choose, one statement looks at so many changes, however few of them are of a kind.
_MOST_LOOKED_AT = 20_000
_CONDITIONS = {
    "patient_id": "f.patient_id = %(patient_id)s::uuid",
    "doctor_id": "f.doctor_id = %(doctor_id)s::uuid",
    "kinds": "e.kind = ANY (%(kinds)s::text[])",
}


@dataclass(frozen=True, slots=True)
class PostgresFeed:
    """The numbered changes, as stored."""

    database: Database

    async def position_of(self, change: ChangeOf) -> FeedPosition | None:
        """Where a change stands in the feed, or None while it is not numbered."""
        row = await self.database.one(
            QUERIES["feed_position"], {"appointment_id": change.appointment_id, "version": change.version}
        )
        return FeedPosition(row["revision"]) if row else None

    async def head(self) -> int:
        """The newest number there is; 0 while the feed is empty."""
        row = await self.database.one(QUERIES["feed_head"])
        return row["revision"] if row else 0

    async def read(self, reader: FeedReader, after: int, limit: int) -> FeedPage:
        """Changes after a number that a reader lets through, at most `limit`."""
        head = await self.head()
        if head <= after:
            return FeedPage((), after, after)
        conditions, values = _conditions_of(reader)
        last = min(head, after + _MOST_LOOKED_AT) if reader.kinds else head
        query = where(QUERIES["read_feed"], conditions)
        rows = await self.database.all(query, {"after": after, "last": last, "limit": limit, **values})
        changes = [
            FeedChange(
                number=row["revision"],
                kind=Change(row["kind"]),
                time=row["event_time"],
                appointment=appointment_of(row["after"]),
                version=row["version"],
                traceparent=row["traceparent"],
            )
            for row in rows
        ]
        return FeedPage(changes, changes[-1].number if len(changes) == limit else last, head)

    async def note_head(self) -> None:
        """Logs where the history ends: an anchor for `telemed audit verify --expect`, outside of the database."""
        row = await self.database.one(QUERIES["feed_head"])
        if row is not None:
            logger.info("history head", extra={"anchor": str(Anchor(row["revision"], bytes(row["hash"])))})


def _conditions_of(reader: FeedReader) -> tuple[list[str], dict[str, object]]:
    asked: dict[str, object] = {"patient_id": reader.patient_id, "doctor_id": reader.doctor_id}
    if reader.kinds:
        asked["kinds"] = [kind.value for kind in reader.kinds]
    values = {name: value for name, value in asked.items() if value is not None}
    return [_CONDITIONS[name] for name in values], values


@dataclass(frozen=True, slots=True)
class Sequencer:
    """Numbers what has been committed. Every replica runs one; the database lets one at a time do it."""

    database: Database
    committed: Signal
    grown: Signal

    async def run(self) -> None:
        """Numbers for ever, soon after each commit of this process, and now and then for those of others."""
        while True:
            seen = self.committed.count
            row = await self.database.one(QUERIES["sequence_events"], {"batch_size": _BATCH})
            numbered = row["numbered"] if row else 0
            if numbered:
                self.grown.fire()
                if numbered < _BATCH:
                    await asyncio.sleep(_GATHER_SECONDS)
            if numbered < _BATCH:
                await self.committed.wait(seen, _SEQUENCE_SECONDS)
