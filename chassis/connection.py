"""One connection to PostgreSQL as we open it: it gives up what does not answer, and knows when it is of no more use."""

import asyncio
import select
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.rows import AsyncRowFactory, DictRow, dict_row

# For a server that takes connections and says nothing, such as one that was stopped; each server of a URL has as long.
_CONNECT_SECONDS = 3
# How long a statement that nobody waits for any more may take to end; then its connection is given up.
_CANCEL_SECONDS = 0.25
# A machine that vanishes closes no connection: the kernel asks it, idle or not, and gives it up after some seconds
# without an answer instead of a quarter of an hour. Unix sockets know nothing of it.
_VANISHED: dict[str, int] = {
    "keepalives_idle": 3,
    "keepalives_interval": 1,
    "keepalives_count": 3,
    "tcp_user_timeout": 6_000,
}
# What a URL asks for that means the first of several servers, and what a server says that is not the first.
_FIRST = ("read-write", "primary")
_NOT_FIRST = (b"in_hot_standby", b"default_transaction_read_only")

_Result = TypeVar("_Result")


class NotReplicatedError(psycopg.OperationalError):
    """A commit whose wait for its standby was broken off: it stands here, and would be lost with this server."""


class DemotedError(psycopg.OperationalError):
    """The server takes no writes any more, and its URL asks for the one that does; what it answers is of the past."""


class _Doubt:
    """Hears the warning that PostgreSQL gives in place of an error when a commit stops waiting for its standby."""

    __slots__ = ("exists",)

    def __init__(self) -> None:
        self.exists = False

    def hear(self, notice: psycopg.errors.Diagnostic) -> None:
        """One notice. The function that gives the warning names it in every language; its SQLSTATE is everybody's."""
        self.exists = self.exists or notice.source_function == "SyncRepWaitForLSN"

    def settle(self) -> bool:
        """Whether there was doubt; from now on there is none."""
        existed, self.exists = self.exists, False
        return existed


class Connection(psycopg.AsyncConnection[DictRow]):
    """A connection that remembers the statement_timeout it was given, and believes no commit that is in doubt.

    `place` is its server and database as the conventions of telemetry name them.
    """

    timeout_class: int = 0

    def __init__(self, pgconn: psycopg.pq.abc.PGconn, row_factory: AsyncRowFactory[DictRow] = dict_row) -> None:
        super().__init__(pgconn, row_factory)
        self.place = place_of(pgconn.db.decode(), pgconn.host.decode(), pgconn.port.decode())
        self._wants_first = self.info.get_parameters().get("target_session_attrs") in _FIRST
        self._doubt = _Doubt()
        self.add_notice_handler(self._doubt.hear)

    async def wait(
        self,
        gen: PQGen[_Result],
        interval: float = 0.1,
        timeout: float | None = None,  # noqa: ASYNC109 - the library's name
    ) -> _Result:
        """Every exchange with the server. Raises NotReplicatedError, and DemotedError, which ends the connection."""
        try:
            result = await super().wait(gen, interval, timeout)
        finally:
            in_doubt = self._doubt.settle()
        if in_doubt:
            raise NotReplicatedError("the wait for a standby was broken off")
        # The server tells with each answer when that has changed, so asking costs nothing.
        if self._wants_first and any(self.pgconn.parameter_status(name) == b"on" for name in _NOT_FIRST):
            self.pgconn.finish()
            raise DemotedError("the server takes no writes any more")
        return result

    async def _try_cancel(self, *, timeout: float = _CANCEL_SECONDS) -> None:  # noqa: ASYNC109 - the library's name
        """Ends the statement that was left, within a moment: a server that does not react would hold its caller up.

        The library closes the connection when this raises, and otherwise waits some seconds for the answer.
        """
        async with asyncio.timeout(min(timeout, _CANCEL_SECONDS)):
            await self.cancel_safe(timeout=0)
            await _readable(self.pgconn.socket)


def options(url: str, *, through_pooler: bool = False) -> dict[str, Any]:
    """The keywords of a connection to a URL; what the URL itself says comes first."""
    said = psycopg.conninfo.conninfo_to_dict(url)
    ours: dict[str, Any] = {"connect_timeout": _CONNECT_SECONDS, **_VANISHED}
    found = {name: value for name, value in ours.items() if name not in said}
    if through_pooler:
        found["prepare_threshold"] = None
    return {"autocommit": True, "row_factory": dict_row, **found}


def place_of(database: str, host: str = "", port: str = "") -> dict[str, str | int]:
    """Which database on which server, as the conventions name it; a socket's folder is an address too."""
    place: dict[str, str | int] = {"db.system.name": "postgresql", "db.namespace": database}
    if host:
        place["server.address"] = host
        if port.isdecimal() and not host.startswith("/"):
            place["server.port"] = int(port)
    return place


def place_in(url: str, database: str) -> dict[str, str | int]:
    """Where a URL leads, for as long as there is no connection; with several servers, that is not known."""
    known = psycopg.conninfo.conninfo_to_dict(url)
    host = str(known.get("host") or known.get("hostaddr") or "")
    return place_of(database) if "," in host else place_of(database, host, str(known.get("port") or "5432"))


async def is_open(connection: Connection) -> None:
    """Raises for an idle connection that the server has closed: what it said in parting can be read. No round trip."""
    poll = select.poll()
    poll.register(connection.pgconn.socket, select.POLLIN)
    if poll.poll(0):
        connection.pgconn.consume_input()
        if connection.pgconn.status != psycopg.pq.ConnStatus.OK or poll.poll(0):
            raise psycopg.OperationalError("the server has closed the connection")


async def _readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)
