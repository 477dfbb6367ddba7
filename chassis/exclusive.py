"""Work that one replica does at a time: whoever holds the advisory lock of its name, on a connection of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256

from chassis.connection import Connection, options
from chassis.db import Session
from chassis.sql import Query

_TRY = Query("try_advisory_lock", "SELECT pg_try_advisory_lock(%(key)s::bigint) AS is_ours")


@asynccontextmanager
async def exclusively(url: str, name: str) -> AsyncIterator[Session | None]:
    """A connection to work on, or None while another replica has the lock of that name in the same database.

    The lock lives as long as the connection, so a process that is killed gives it back. The connection is none of the
    pool's: what a statement locks there for long, and for how long it may run, is nobody else's business.
    """
    connection = await Connection.connect(url, **options(url))
    async with connection:
        session = Session(connection, connection.place)
        row = await session.one(_TRY, {"key": _key(name)})
        yield session if row is not None and row["is_ours"] else None


def _key(name: str) -> int:
    """The number of a lock: 64 bits of a digest, so that different names do not meet."""
    return int.from_bytes(sha256(name.encode()).digest()[:8], "big", signed=True)
