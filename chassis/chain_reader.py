"""Reads a chain of hashes out of its database to be checked: at one instant, row after row, whatever its length."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import DictRow, dict_row

from chassis.hash_chain import Record
from chassis.sql import Queries, Query

ChainConnection = psycopg.AsyncConnection[DictRow]
_ROWS_AT_ONCE = 1_000
_QUERIES = Queries(Path(__file__).with_name("chain_reader.sql"))


@asynccontextmanager
async def reading(url: str) -> AsyncIterator[ChainConnection]:
    """A connection on which the whole database stands still, and which writes instants and bytes as they are hashed."""
    async with await psycopg.AsyncConnection.connect(url, row_factory=dict_row) as connection:
        await connection.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
        await connection.set_read_only(True)
        await connection.execute(_QUERIES["write_as_hashed"].text)
        yield connection


async def rows_of(connection: ChainConnection, query: Query) -> AsyncIterator[dict[str, Any]]:
    """The rows of a query. By a cursor of the server's: the rows of years never stand in memory together."""
    async with connection.cursor(query.name) as cursor:
        await cursor.execute(query.text)
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


async def only_row(connection: ChainConnection, query: Query) -> dict[str, Any]:
    """The row of a query that has one. Raises LookupError when it is gone."""
    row = await (await connection.execute(query.text)).fetchone()
    if row is None:
        raise LookupError(f"{query.name} has lost its row: the chain has no end")
    return row


def digest_of_words(words: str, salt: str | None) -> str | None:
    """The digest that stands for words in a chain; None where there never were any. `salt` is bytea's text in JSON."""
    if not words and salt is None:
        return None
    # PostgreSQL writes bytes in JSON as \x and hexadecimal digits.
    return hashlib.sha256(bytes.fromhex((salt or "").removeprefix("\\x")) + words.encode()).hexdigest()


def fault_of_words(record: Record, *, may_be_forgotten: bool) -> str | None:
    """What is wrong with the words of a record (`reason`, `reason_salt`, `reason_digest`), or None."""
    reason, salt = str(record["reason"] or ""), record["reason_salt"]
    told = digest_of_words(reason, str(salt) if salt is not None else None)
    if record["reason_digest"] == told:
        return None
    if told is None and record["reason_digest"] is not None:
        return None if may_be_forgotten else "the words are gone, and no erasure of this patient's data is on record"
    return "the words are not those that were written"
