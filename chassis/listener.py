"""LISTEN on PostgreSQL: fires signals for notifications; a lost one costs the poll interval and no more."""

import asyncio
from collections.abc import Callable

from psycopg import sql

from chassis.connection import Connection, options
from chassis.signals import Signal, SignalBoard

# A server that has stopped, or is not the first any more, notifies of nothing, and tells why only when it is asked.
_LOOK_SECONDS = 5.0
_ANSWER_SECONDS = 2.0


async def listen(url: str, channel: str, signal: Signal) -> None:
    """Fires `signal` whenever `channel` is notified, for as long as the connection lives; then raises."""
    await _hear(url, channel, signal.fire, lambda _: signal.fire())


async def listen_by_name(url: str, channel: str, board: SignalBoard) -> None:
    """Fires the signal that each notification of `channel` names, for as long as the connection lives; then raises.

    Whoever begins to listen wakes everybody first: what was told before, nobody has heard.
    """
    await _hear(url, channel, board.fire_all, board.fire)


async def _hear(url: str, channel: str, begun: Callable[[], None], heard: Callable[[str], None]) -> None:
    async with await Connection.connect(url, **options(url)) as connection:
        await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
        begun()
        while True:
            async for notification in connection.notifies(timeout=_LOOK_SECONDS):
                heard(notification.payload)
            async with asyncio.timeout(_ANSWER_SECONDS):
                await connection.execute("SELECT pg_listening_channels()")
