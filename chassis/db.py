"""PostgreSQL for a process: a pool, named queries with a span each, and statements that obey the call's deadline."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from types import TracebackType

import orjson
import psycopg
from opentelemetry.trace import Status, StatusCode
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import set_json_loads
from psycopg_pool import AsyncConnectionPool

from chassis.context import remaining_seconds
from chassis.metrics import REGISTRY, PoolNumbers, exemplar, pool_waits, statements
from chassis.sql import Query
from chassis.telemetry import client_span

Params = Mapping[str, object] | Sequence[object]
# A statement's time limit in the server, from the call's deadline rounded up, so that it is set anew only when a
# connection passes to a call of another class. The client's own cancellation is the precise limit; this one holds
# when the client is gone.
_TIMEOUT_CLASSES_MS = (250, 1_000, 5_000, 20_000, 120_000)
# Background work has no deadline. It shares the class of the usual call, since it takes turns with calls on the same
# connections and each change of class is a round trip.
_BACKGROUND_CLASS_MS = 20_000
_POOL_WAIT_SECONDS = 5.0

set_json_loads(orjson.loads)  # half the time of the standard library's


class Connection(psycopg.AsyncConnection[DictRow]):
    """A pooled connection that remembers the statement_timeout it was given."""

    timeout_class: int = 0


class Session:
    """One connection in use. Rows are dictionaries."""

    def __init__(self, connection: Connection, database: str) -> None:
        self._connection = connection
        self._database = database

    async def all(self, query: Query, params: Params = ()) -> list[DictRow]:
        """Every row of a query."""
        with _Watched(query, self._database):
            return await (await self._connection.execute(query.text, params)).fetchall()

    async def one(self, query: Query, params: Params = ()) -> DictRow | None:
        """The first row of a query, or None."""
        with _Watched(query, self._database):
            return await (await self._connection.execute(query.text, params)).fetchone()

    async def execute(self, query: Query, params: Params = ()) -> int:
        """Runs a statement and tells how many rows it touched."""
        with _Watched(query, self._database):
            return (await self._connection.execute(query.text, params)).rowcount

    async def execute_many(self, query: Query, rows: Sequence[Params]) -> None:
        """Runs a statement once for each row of parameters, in one pipelined exchange."""
        with _Watched(query, self._database):
            async with self._connection.cursor() as cursor:
                await cursor.executemany(query.text, rows)


class Database:
    """The pool of one database. Without `transaction`, each statement is a transaction of its own."""

    def __init__(self, url: str, *, size: int) -> None:
        self.name = str(psycopg.conninfo.conninfo_to_dict(url).get("dbname") or "postgres")
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            url,
            connection_class=Connection,
            min_size=min(2, size),
            max_size=size,
            timeout=_POOL_WAIT_SECONDS,
            kwargs={"autocommit": True, "row_factory": dict_row},
            open=False,
            reconnect_timeout=30.0,
        )
        self._numbers = PoolNumbers(self.name, self._pool.get_stats)

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
        return _Borrowed(self._pool, self.name)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Session]:
        """A connection inside one transaction: committed at the end of the block, rolled back by an exception."""
        borrowed = self.session()
        async with borrowed as session, borrowed.connection.transaction():
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


class _Borrowed:
    """A connection for as long as the block runs, within the running call's time, with a statement_timeout to match.

    Written out, and without the pool's own block: that one commits at its end, which here nobody needs, since a
    statement by itself is committed already and a transaction has a block of its own.
    """

    __slots__ = ("_database", "_pool", "connection")

    connection: Connection

    def __init__(self, pool: AsyncConnectionPool[Connection], database: str) -> None:
        self._pool = pool
        self._database = database

    async def __aenter__(self) -> Session:
        remaining = remaining_seconds()
        wait = _POOL_WAIT_SECONDS if remaining is None else min(remaining, _POOL_WAIT_SECONDS)
        asked = time.perf_counter()
        self.connection = await self._pool.getconn(wait)
        pool_waits.observe(time.perf_counter() - asked)
        try:
            await _limit_statements(self.connection, remaining)
        except BaseException:
            await self._pool.putconn(self.connection)
            raise
        return Session(self.connection, self._database)

    async def __aexit__(self, *_: object) -> None:
        await self._pool.putconn(self.connection)


async def _limit_statements(connection: Connection, remaining: float | None) -> None:
    """Gives the connection the statement_timeout of the running call's class."""
    wanted = _BACKGROUND_CLASS_MS
    if remaining is not None:
        wanted = next((ms for ms in _TIMEOUT_CLASSES_MS if remaining * 1000 <= ms), _TIMEOUT_CLASSES_MS[-1])
    if connection.timeout_class != wanted:
        await connection.execute("SELECT set_config('statement_timeout', %s, false)", (str(wanted),))
        connection.timeout_class = wanted


class _Watched:
    """A CLIENT span by the database conventions and an observation; a failed statement leaves its SQLSTATE, no text."""

    __slots__ = ("_manager", "_name", "_span", "_started")

    def __init__(self, query: Query, database: str) -> None:
        self._name = query.name
        attributes = {"db.system.name": "postgresql", "db.namespace": database, "db.query.summary": query.name}
        self._manager = client_span(query.name, attributes)

    def __enter__(self) -> None:
        self._span = self._manager.__enter__()
        self._started = time.perf_counter()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        seconds = time.perf_counter() - self._started
        failure = ""
        if error is not None:
            state = error.sqlstate if isinstance(error, psycopg.Error) else None
            failure = state or type(error).__name__
            if state:
                self._span.set_attribute("db.response.status_code", state)
            self._span.set_attribute("error.type", failure)
            self._span.set_status(Status(StatusCode.ERROR))
        statements.labels(self._name, failure).observe(seconds, exemplar())
        self._manager.__exit__(kind, error, trace)
