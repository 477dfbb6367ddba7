"""LISTEN on PostgreSQL: fires a signal for each notification; a lost one costs the poll interval and no more."""

import psycopg
from psycopg import sql

from chassis.signals import Signal


async def listen(url: str, channel: str, signal: Signal) -> None:
    """Fires `signal` whenever `channel` is notified, for as long as the connection lives; then raises."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
        signal.fire()
        async for _ in connection.notifies():
            signal.fire()
