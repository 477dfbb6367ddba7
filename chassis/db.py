"""PostgreSQL for a process: a pool, named queries with a span each, and statements that obey the call's deadline."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from types import TracebackType

import orjson
import psycopg
from psycopg.rows import DictRow
from psycopg.types.json import set_json_loads
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from chassis.connection import Connection, is_open, options, place_in
from chassis.context import remaining_seconds
from chassis.metrics import REGISTRY, PoolNumbers, pool_waits
from chassis.sql import Query
from chassis.telemetry import Attributes, is_recorded, past_client_span
from chassis.watched import Watched
from chassis.who_acts import say_who_acts
from kernel.errors import Unavailable

Params = Mapping[str, object] | Sequence[object]
# A statement's time limit in the server, from the call's deadline rounded up, so that it is set anew only when a
# connection passes to a call of another class. The client's own cancellation is the precise limit; this one holds
# when the client is gone.
_TIMEOUT_CLASSES_MS = (250, 1_000, 5_000, 20_000, 120_000)
# Background work has no deadline. It shares the class of the usual call, since it takes turns with calls on the same
# connections and each change of class is a round trip.
_BACKGROUND_CLASS_MS = 20_000
_POOL_WAIT_SECONDS = 5.0
# How long the pool tries to replace a lost connection by itself. Its pauses double up to this, and a server that is
# back would go unnoticed for as long; once it has given up, whoever asks next makes it try at once, and the probe
# of readiness asks five times a second.
_RECONNECT_SECONDS = 0.3
_TIMEOUT_SQL = "SELECT set_config('statement_timeout', %s, %s)"
# A wait as short as this is no wait: the pool had a connection, and the bar would only hide those that matter.
_NOTABLE_WAIT_SECONDS = 0.001
# Readiness must be told within a second: so long for an answer, a quarter of a second to give a hanging connection up,
# and the pause before the next question.
_PING_SECONDS = 0.45
_PING = Query("ping", "SELECT 1")
_BEGIN, _COMMIT, _ROLLBACK = (Query(word, word) for word in ("BEGIN", "COMMIT", "ROLLBACK"))
# The least that a commit can write: with it, the commit waits for its standby as every other does.
_SECURE = Query("secure_commits", "SELECT pg_logical_emit_message(true, 'telemed', '')")

set_json_loads(orjson.loads)  # half the time of the standard library's


class Session:
    """One connection in use. Rows are dictionaries."""

    def __init__(self, connection: Connection, place: Attributes) -> None:
        self._connection = connection
        self._place = place

    async def all(self, query: Query, params: Params = ()) -> list[DictRow]:
        """Every row of a query."""
        with Watched(query, self._place):
            return await (await self._connection.execute(query.text, params)).fetchall()

    async def one(self, query: Query, params: Params = ()) -> DictRow | None:
        """The first row of a query, or None."""
        with Watched(query, self._place):
            return await (await self._connection.execute(query.text, params)).fetchone()

    async def execute(self, query: Query, params: Params = ()) -> int:
        """Runs a statement and tells how many rows it touched."""
        with Watched(query, self._place):
            return (await self._connection.execute(query.text, params)).rowcount

    async def execute_many(self, query: Query, rows: Sequence[Params]) -> None:
        """Runs a statement once for each row of parameters, in one pipelined exchange."""
        with Watched(query, self._place, batch=len(rows)):
            async with self._connection.cursor() as cursor:
                await cursor.executemany(query.text, rows)

    async def secure(self) -> None:
        """Makes what this session has read as safe as what it commits, before a caller is told of it.

        An earlier commit may still be in doubt: its wait for a standby was broken off, and this server alone has it.
        """
        await self.execute(_SECURE)


class Database:
    """The pool of one database. Without `transaction`, each statement is a transaction of its own."""

    def __init__(self, url: str, *, size: int, through_pooler: bool = False) -> None:
        """`through_pooler`: transactions may come to different connections of the server, which keep nothing for us."""
        self.name = str(psycopg.conninfo.conninfo_to_dict(url).get("dbname") or "postgres")
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            url,
            connection_class=Connection,
            min_size=min(2, size),
            max_size=size,
            timeout=_POOL_WAIT_SECONDS,
            kwargs=options(url, through_pooler=through_pooler),
            check=is_open,
            open=False,
            reconnect_timeout=_RECONNECT_SECONDS,
        )
        self._numbers = PoolNumbers(self.name, self._pool.get_stats)
        self._place = place_in(url, self.name)
        self._through_pooler = through_pooler
        self._news = _News()

    async def open(self) -> None:
        """Starts to connect; returns at once, also when the server is away."""
        await self._pool.open()
        REGISTRY.register(self._numbers)

    async def close(self) -> None:
        """Closes every connection."""
        REGISTRY.unregister(self._numbers)
        await self._pool.close()

    def session(self) -> "_Borrowed":
        """A connection for a few statements, each a transaction of its own."""
        return _Borrowed(self._pool, self._place, self._news, keeps_settings=not self._through_pooler)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Session]:
        """A connection inside one transaction: committed at the end of the block, rolled back by an exception."""
        borrowed = self.session()
        async with borrowed as session, _WatchedTransaction(borrowed.connection):
            await say_who_acts(borrowed.connection)
            if self._through_pooler:
                limit = str(_class_of(remaining_seconds()))
                await borrowed.connection.execute(_TIMEOUT_SQL, (limit, True))
            yield session

    async def all(self, query: Query, params: Params = ()) -> list[DictRow]:
        """Every row of a query."""
        async with self.session() as session:
            return await session.all(query, params)

    async def one(self, query: Query, params: Params = ()) -> DictRow | None:
        """The first row of a query, or None."""
        async with self.session() as session:
            return await session.one(query, params)

    async def execute(self, query: Query, params: Params = ()) -> int:
        """Runs a statement and tells how many rows it touched."""
        async with self.session() as session:
            return await session.execute(query, params)

    async def secure(self) -> None:
        """See Session.secure: for an answer that a statement by itself has read."""
        async with self.session() as session:
            await session.secure()

    async def ping(self) -> None:
        """Raises while the database answers neither this question nor anybody else since it was asked.

        A question that finds no connection or no processor time on a busy machine says nothing of the database.
        """
        asked = time.monotonic()
        try:
            async with asyncio.timeout(_PING_SECONDS):
                await self.one(_PING)
        except (psycopg.Error, PoolTimeout, TimeoutError, Unavailable):
            if self._news.last <= asked:
                raise


class _News:
    """When the database last did what it was asked to; monotonic seconds."""

    __slots__ = ("last",)

    def __init__(self) -> None:
        self.last = float("-inf")


class _Borrowed:
    """A connection for as long as the block runs, within the running call's time, with a statement_timeout to match.

    Written out, and without the pool's own block: that one commits at its end, which here nobody needs, since a
    statement by itself is committed already and a transaction has a block of its own.
    """

    __slots__ = ("_keeps_settings", "_news", "_place", "_pool", "connection")

    connection: Connection

    def __init__(
        self, pool: AsyncConnectionPool[Connection], place: Attributes, news: _News, *, keeps_settings: bool
    ) -> None:
        self._pool = pool
        self._news = news
        self._place = place
        self._keeps_settings = keeps_settings

    async def __aenter__(self) -> Session:
        remaining = remaining_seconds()
        wait = _POOL_WAIT_SECONDS if remaining is None else min(remaining, _POOL_WAIT_SECONDS)
        asked, error_type = time.perf_counter(), ""
        try:
            self.connection = await self._pool.getconn(wait)
        except PoolTimeout as error:
            error_type = type(error).__name__
            if _lacks_connections(self._pool):
                raise Unavailable("the database is not available", retry_after_seconds=1.0) from None
            raise
        except BaseException as error:
            error_type = type(error).__name__
            raise
        finally:
            self._note_wait(time.perf_counter() - asked, error_type)
        if self._keeps_settings:
            try:
                await _limit_statements(self.connection, remaining)
            except BaseException:
                await self._pool.putconn(self.connection)
                raise
        return Session(self.connection, self.connection.place)

    async def __aexit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is None:
            self._news.last = time.monotonic()
        elif isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
            # It leads to a server that is not the first any more; the next one asks who is.
            await self.connection.close()
        await self._pool.putconn(self.connection)

    def _note_wait(self, seconds: float, error_type: str) -> None:
        pool_waits.observe(seconds)
        if (error_type or seconds > _NOTABLE_WAIT_SECONDS) and is_recorded():
            past_client_span("wait for connection", self._place, time.time_ns() - int(seconds * 1e9), error_type)


async def _limit_statements(connection: Connection, remaining: float | None) -> None:
    """Gives the connection the statement_timeout of the running call's class."""
    wanted = _class_of(remaining)
    if connection.timeout_class != wanted:
        await connection.execute(_TIMEOUT_SQL, (str(wanted), False))
        connection.timeout_class = wanted


def _class_of(remaining: float | None) -> int:
    if remaining is None:
        return _BACKGROUND_CLASS_MS
    return next((ms for ms in _TIMEOUT_CLASSES_MS if remaining * 1000 <= ms), _TIMEOUT_CLASSES_MS[-1])


def _lacks_connections(pool: AsyncConnectionPool[Connection]) -> bool:
    """Whether the pool has fewer connections than it may have: then the server, and not our own load, is the reason."""
    stats = pool.get_stats()
    return stats["pool_size"] < stats["pool_max"]


class _WatchedTransaction:
    """The connection's transaction block, its first and last statement watched like every other."""

    __slots__ = ("_block", "_place")

    def __init__(self, connection: Connection) -> None:
        self._block = connection.transaction()
        self._place = connection.place

    async def __aenter__(self) -> None:
        with Watched(_BEGIN, self._place):
            await self._block.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        with Watched(_ROLLBACK if kind else _COMMIT, self._place):
            return await self._block.__aexit__(kind, error, trace)
