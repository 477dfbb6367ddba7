"""The change feed on PostgreSQL: numbers committed events, reads them by number, follows them for ever."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass

from appointment_svc.app.ports import FeedChange, FeedPage, FeedReader
from appointment_svc.storage.rows import QUERIES, appointment_of
from chassis.chain_walk import Anchor
from chassis.db import Database
from chassis.signals import Signal
from chassis.sql import Query
from kernel.revision import ChangeOf, FeedPosition

CHANNEL = "telemed_feed"
logger = logging.getLogger(__name__)
_BATCH = 500
# Wake-ups are a courtesy; these intervals hold without them (another replica died, or a proxy eats NOTIFY).
_SEQUENCE_SECONDS = 0.25
_POLL_SECONDS = 0.25
# The first event after a quiet moment is numbered at once, those behind it gather for so long: a batch costs a
# transaction here and one more in every consumer, and one for each event doubled the database's work under load.
_GATHER_SECONDS = 0.02
_POLLS_A_SIGN_OF_LIFE = 20


@dataclass(frozen=True, slots=True)
class PostgresFeed:
    """Implements app.ports.Feed. `grown` fires when the feed may have grown."""

    database: Database
    grown: Signal

    async def position_of(self, change: ChangeOf) -> FeedPosition | None:
        """See the port."""
        row = await self.database.one(
            QUERIES["feed_position"], {"appointment_id": change.appointment_id, "version": change.version}
        )
        return FeedPosition(row["revision"]) if row else None

    async def read(self, reader: FeedReader, after: int, limit: int) -> FeedPage:
        """See the port."""
        async with self.database.session() as session:
            head_row = await session.one(QUERIES["feed_head"])
            head = head_row["revision"] if head_row else 0
            if head <= after:
                return FeedPage((), max(head, after), max(head, after))
            query, values = _query_for(reader)
            rows = await session.all(query, {"after": after, "head": head, "limit": limit, **values})
        changes = [
            FeedChange(
                number=row["revision"],
                kind=row["kind"],
                time=row["event_time"],
                appointment=appointment_of(row["after"]),
                version=row["version"],
                traceparent=row["traceparent"],
            )
            for row in rows
        ]
        complete = changes[-1].number if len(changes) == limit else head
        return FeedPage(changes, complete, head)

    async def note_head(self) -> None:
        """Logs where the history ends: an anchor for `telemed audit verify --expect`, outside of the database."""
        row = await self.database.one(QUERIES["feed_head"])
        if row is not None:
            logger.info("history head", extra={"anchor": str(Anchor(row["revision"], bytes(row["hash"])))})

    async def follow(self, reader: FeedReader, after: int) -> AsyncIterator[tuple[FeedChange | None, int]]:
        """See the port. The next batch is read when the last one was taken: a slow reader costs only itself."""
        idle = 0
        # First of all the length of the feed, so that a reader knows at once how far behind it is.
        yield None, (await self.read(reader, after, 1)).head
        while True:
            seen = self.grown.count
            page = await self.read(reader, after, _BATCH)
            for change in page.changes:
                yield change, page.head
            if page.complete > after:
                after, idle = page.complete, 0
                continue
            idle += 1
            if idle % _POLLS_A_SIGN_OF_LIFE == 0:
                yield None, page.head
            await self.grown.wait(seen, _POLL_SECONDS)


def _query_for(reader: FeedReader) -> tuple[Query, dict[str, str]]:
    if reader.patient_id is not None:
        return QUERIES["read_feed_of_patient"], {"patient_id": reader.patient_id}
    if reader.doctor_id is not None:
        return QUERIES["read_feed_of_doctor"], {"doctor_id": reader.doctor_id}
    return QUERIES["read_feed"], {}


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
