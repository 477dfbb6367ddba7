"""Two readers of the same committed bookings: the service's own feed, and one below the snapshot horizon."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import psycopg

from appointment_svc.app.ports import FeedReader
from appointment_svc.storage.feed import PostgresFeed, Sequencer
from appointment_svc.storage.live_feed import LiveFeed
from chassis.db import Database
from chassis.signals import Signal
from chassis.sql import Query

# Every event is also written here, by a trigger and so in the same transaction: both readers wait for one commit.
HORIZON_TABLE = """
    CREATE TABLE horizon_event (
        transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id(),
        event_id bigint NOT NULL,
        appointment_id uuid NOT NULL,
        PRIMARY KEY (transaction_id, event_id)
    );
    CREATE FUNCTION copy_event() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO horizon_event (event_id, appointment_id) VALUES (new.event_id, new.appointment_id);
        RETURN NULL;
    END $$;
    CREATE TRIGGER copy_event AFTER INSERT ON event FOR EACH ROW EXECUTE FUNCTION copy_event();
"""
# Below the horizon no transaction is left that could still commit a row before those already read.
_READ_HORIZON = Query(
    "read_below_horizon",
    """
    SELECT transaction_id::text, event_id, appointment_id::text FROM horizon_event
    WHERE (transaction_id, event_id) > (%(transaction_id)s::xid8, %(event_id)s::bigint)
      AND transaction_id < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY transaction_id, event_id LIMIT 500
    """,
)
# Nothing tells a reader that the horizon has moved, so it has to ask; this often.
_POLL_SECONDS = 0.010

Seen = dict[str, float]


@dataclass(slots=True)
class Readers:
    """When each appointment became readable, on the clock of `time.perf_counter`, for each of the two ways."""

    sequencer: Seen = field(default_factory=dict)
    horizon: Seen = field(default_factory=dict)


@asynccontextmanager
async def reading(database: Database, committed: Signal) -> AsyncIterator[Readers]:
    """Both readers at work. `committed` fires after each booking and wakes them, as in the service."""
    grown, seen = Signal(), Readers()
    feed = LiveFeed(PostgresFeed(database), grown)
    tasks = [
        asyncio.create_task(Sequencer(database, committed, grown).run()),
        asyncio.create_task(feed.run()),
        asyncio.create_task(_follow(feed, seen.sequencer)),
        asyncio.create_task(_poll(database, committed, seen.horizon)),
    ]
    try:
        yield seen
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        if failed := [error for error in ended if isinstance(error, Exception)]:
            raise failed[0]


async def _follow(feed: LiveFeed, seen: Seen) -> None:
    async for page in feed.follow(FeedReader(), 0):
        seen.update((change.appointment.id, time.perf_counter()) for change in page.changes)


async def _poll(database: Database, committed: Signal, seen: Seen) -> None:
    after: dict[str, object] = {"transaction_id": "0", "event_id": 0}
    while True:
        count = committed.count
        rows = await database.all(_READ_HORIZON, after)
        now = time.perf_counter()
        for row in rows:
            seen[row["appointment_id"]] = now
            after = {"transaction_id": row["transaction_id"], "event_id": row["event_id"]}
        if not rows:
            await committed.wait(count, _POLL_SECONDS)


@asynccontextmanager
async def foreign_transaction(url: str, seconds: float) -> AsyncIterator[None]:
    """A transaction that writes in another database for so long, such as a report being refreshed there."""

    async def write() -> None:
        async with await psycopg.AsyncConnection.connect(url) as connection:
            await connection.execute("CREATE TABLE IF NOT EXISTS written (number int)")
            await connection.execute("INSERT INTO written VALUES (1)")
            begun.set()
            await asyncio.sleep(seconds)

    begun = asyncio.Event()
    writing = asyncio.create_task(write())
    await begun.wait()
    yield
    await writing
