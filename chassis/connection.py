"""One connection to PostgreSQL as we open it: it gives up what does not answer, and knows when it has been closed."""

import asyncio
import select
from typing import Any

import psycopg
from psycopg.rows import DictRow, dict_row

# For a server that takes connections and says nothing, such as one that was stopped.
_CONNECT_SECONDS = 3
# How long a statement that nobody waits for any more may take to end; then its connection is given up.
_CANCEL_SECONDS = 0.25


class Connection(psycopg.AsyncConnection[DictRow]):
    """A pooled connection that remembers the statement_timeout it was given."""

    timeout_class: int = 0

    async def _try_cancel(self, *, timeout: float = _CANCEL_SECONDS) -> None:  # noqa: ASYNC109 - the library's name
        """Ends the statement that was left, within a moment: a server that does not react would hold its caller up.

        The library closes the connection when this raises, and otherwise waits some seconds for the answer.
        """
        async with asyncio.timeout(min(timeout, _CANCEL_SECONDS)):
            await self.cancel_safe(timeout=0)
            await _readable(self.pgconn.socket)


def options(url: str, *, through_pooler: bool) -> dict[str, Any]:
    """The keywords of a connection to a URL; what the URL itself says comes first."""
    options: dict[str, Any] = {"autocommit": True, "row_factory": dict_row}
    if through_pooler:
        options["prepare_threshold"] = None
    if "connect_timeout" in psycopg.conninfo.conninfo_to_dict(url):
        return options
    return {"connect_timeout": _CONNECT_SECONDS, **options}


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
