"""The history checked from the first event to the last: every row, by a computation that trusts nothing stored."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import psycopg
from psycopg.rows import DictRow, dict_row

from chassis.chain_walk import Anchor, Fault, Finding, Link, Walk
from chassis.hash_chain import Record, parse_record, record_digest
from chassis.sql import Queries

CHAIN = "telemed.appointment.feed"
_QUERIES = Queries(Path(__file__).with_name("audit.sql"))
_ROWS_AT_ONCE = 1_000
_WORDS = ("reason", "reason_salt")
_SNAPSHOTS = ("before", "after")


class Audit:
    """One reading of the whole history, at one instant of the database; bookings go on meanwhile.

    `checked` counts the events so far and `head` is where the history ends.
    """

    def __init__(self, connection: psycopg.AsyncConnection[DictRow]) -> None:
        self._connection = connection
        self.checked = 0
        self.head = Anchor(0, b"")

    async def faults(self, expected: Iterable[Anchor] = ()) -> AsyncIterator[Fault]:
        """Whatever is wrong, in the order of the history; then events that stand outside of it."""
        self.head = await _head(self._connection)
        walk = Walk(CHAIN, expected)
        async for row in self._rows("history_links"):
            event = parse_record(row["event"]) if row["event"] else None
            for fault in walk.step(_link(row, event)):
                yield fault
            for fault in _beside_the_hash(row, event):
                yield fault
            self.checked += 1
        for fault in walk.end(self.head):
            yield fault
        async for row in self._rows("history_unlinked"):
            where = f"event {row['event_id']} (appointment {row['appointment_id']}, version {row['version']})"
            yield Fault(Finding.UNLINKED, where, "it was never numbered, and does not wait to be")

    async def _rows(self, name: str) -> AsyncIterator[dict[str, Any]]:
        # A cursor of the server's: the rows of years never stand in memory together.
        async with self._connection.cursor(name) as cursor:
            await cursor.execute(_QUERIES[name].text)
            rows = await cursor.fetchmany(_ROWS_AT_ONCE)
            while rows:
                # The server reads the next rows while we compute over these.
                following = asyncio.create_task(cursor.fetchmany(_ROWS_AT_ONCE))
                await asyncio.sleep(0)
                try:
                    for row in rows:
                        yield row
                finally:
                    rows = await following


@asynccontextmanager
async def auditing(url: str) -> AsyncIterator[Audit]:
    """An audit of the appointment database at `url`."""
    async with await psycopg.AsyncConnection.connect(url, row_factory=dict_row) as connection:
        await connection.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
        await connection.set_read_only(True)
        await connection.execute(_QUERIES["write_as_hashed"].text)
        yield Audit(connection)


async def read_head(url: str) -> Anchor:
    """Where the history ends now."""
    async with await psycopg.AsyncConnection.connect(url, row_factory=dict_row) as connection:
        return await _head(connection)


async def _head(connection: psycopg.AsyncConnection[DictRow]) -> Anchor:
    row = await (await connection.execute(_QUERIES["history_head"].text)).fetchone()
    if row is None:
        raise LookupError("feed_head has lost its row: the history has no end")
    return Anchor(row["revision"], bytes(row["hash"]))


def event_digest(event: Record) -> bytes:
    """The digest of an event: its columns, snapshots as digests of their own, words by their salted digest alone."""
    hashed = {name: value for name, value in event.items() if name not in _WORDS}
    for name in _SNAPSHOTS:
        if event[name] is not None:
            hashed[name] = record_digest(cast("Record", event[name])).hex()
    return record_digest(hashed)


def _link(row: dict[str, Any], event: Record | None) -> Link:
    label = f"{row['revision']} (event {row['event_id']})"
    return Link(row["revision"], bytes(row["hash"]), event_digest(event) if event else None, label)


def _beside_the_hash(row: dict[str, Any], event: Record | None) -> Iterator[Fault]:
    """What no hash covers but what a hash covers tells."""
    if event is None:
        return
    where = f"{row['revision']} (event {row['event_id']})"
    if (row["patient_id"], row["doctor_id"]) != (event["patient_id"], event["doctor_id"]):
        yield Fault(Finding.CHANGED, where, "the feed shows it to others than the event names")
    if event["reason_digest"] != _digest_of_words(event):
        yield Fault(Finding.CHANGED, where, "the words are not those that were written")


def _digest_of_words(event: Record) -> str | None:
    reason, salt = str(event["reason"]), event["reason_salt"]
    if not reason and salt is None:
        return None
    # PostgreSQL writes bytes in JSON as \x and hexadecimal digits.
    return hashlib.sha256(bytes.fromhex(str(salt or "").removeprefix("\\x")) + reason.encode()).hexdigest()
