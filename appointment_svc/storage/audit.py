"""The history checked from the first event to the last: every row, by a computation that trusts nothing stored."""

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import psycopg

from chassis.chain_reader import ChainConnection, fault_of_words, only_row, reading, rows_of
from chassis.chain_walk import Anchor, Fault, Finding, Link, Walk
from chassis.hash_chain import Record, parse_record, record_digest
from chassis.sql import Queries

CHAIN = "telemed.appointment.feed"
_QUERIES = Queries(Path(__file__).with_name("audit.sql"))
_WORDS = ("reason", "reason_salt")
_SNAPSHOTS = ("before", "after")


class Audit:
    """One reading of the whole history, at one instant of the database; bookings go on meanwhile.

    `checked` counts the events so far and `head` is where the history ends.
    """

    def __init__(self, connection: ChainConnection, erased: frozenset[str] = frozenset()) -> None:
        self._connection = connection
        self._erased = erased
        self.checked = 0
        self.head = Anchor(0, b"")

    async def faults(self, expected: Iterable[Anchor] = ()) -> AsyncIterator[Fault]:
        """Whatever is wrong, in the order of the history; then events that stand outside of it."""
        self.head = await _head(self._connection)
        walk = Walk(CHAIN, expected)
        async for row in rows_of(self._connection, _QUERIES["history_links"]):
            event = parse_record(row["event"]) if row["event"] else None
            for fault in walk.step(_link(row, event)):
                yield fault
            for fault in _beside_the_hash(row, event, self._erased):
                yield fault
            self.checked += 1
        for fault in walk.end(self.head):
            yield fault
        async for row in rows_of(self._connection, _QUERIES["history_unlinked"]):
            where = f"event {row['event_id']} (appointment {row['appointment_id']}, version {row['version']})"
            yield Fault(Finding.UNLINKED, where, "it was never numbered, and does not wait to be")


@asynccontextmanager
async def auditing(url: str, erased: Iterable[str] = ()) -> AsyncIterator[Audit]:
    """An audit of the appointment database at `url`; `erased` are the patients whose words may be forgotten."""
    async with reading(url) as connection:
        yield Audit(connection, frozenset(erased))


async def note_run(url: str, audit: Audit, faults: int) -> None:
    """Notes an audit that has come to its end, for the metrics of the appointment service."""
    noted = {"checked": audit.checked, "faults": faults, "head": str(audit.head)}
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute(_QUERIES["note_run"].text, noted)


async def read_head(url: str) -> Anchor:
    """Where the history ends now."""
    async with reading(url) as connection:
        return await _head(connection)


async def _head(connection: ChainConnection) -> Anchor:
    row = await only_row(connection, _QUERIES["history_head"])
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


def _beside_the_hash(row: dict[str, Any], event: Record | None, erased: frozenset[str]) -> Iterator[Fault]:
    """What no hash covers but what a hash covers tells."""
    if event is None:
        return
    where = f"{row['revision']} (event {row['event_id']})"
    if (row["patient_id"], row["doctor_id"]) != (event["patient_id"], event["doctor_id"]):
        yield Fault(Finding.CHANGED, where, "the feed shows it to others than the event names")
    why = fault_of_words(event, may_be_forgotten=event["patient_id"] in erased)
    if why:
        yield Fault(Finding.CHANGED, where, why)
