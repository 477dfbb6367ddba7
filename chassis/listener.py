"""LISTEN on PostgreSQL: fires signals for notifications; a lost one costs the poll interval and no more."""

from collections.abc import Callable

import psycopg
from psycopg import sql

from chassis.signals import Signal, SignalBoard


async def listen(url: str, channel: str, signal: Signal) -> None:
    """Fires `signal` whenever `channel` is notified, for as long as the connection lives; then raises."""
    await _hear(url, channel, signal.fire, lambda _: signal.fire())


async def listen_by_name(url: str, channel: str, board: SignalBoard) -> None:
    """Fires the signal that each notification of `channel` names, for as long as the connection lives; then raises.

    Whoever begins to listen wakes everybody first: what was told before, nobody has heard.
    """
    await _hear(url, channel, board.fire_all, board.fire)


async def _hear(url: str, channel: str, begun: Callable[[], None], heard: Callable[[str], None]) -> None:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
        begun()
        async for notification in connection.notifies():
            heard(notification.payload)
