"""A PostgreSQL of a test's own, to be stopped, frozen and filled up, with a database of the appointment service."""

import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from stack import databases
from stack.postgres import Postgres

_BACKENDS = "SELECT pid FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
_FEW = 24


@pytest.fixture
async def own_postgres(data_folder: Path) -> AsyncIterator[Postgres]:
    """A durable server with few connections; the appointment service's database is there."""
    with Postgres(data_folder, log=data_folder / "postgres.log", max_connections=_FEW) as server:
        await databases.prepare({"appointment": database_of(server)}, lambda _: None)
        yield server


def database_of(server: Postgres) -> str:
    """The URL of the appointment service's database."""
    return make_conninfo(server.url(), dbname="telemed_appointment")


def backends(server: Postgres) -> list[int]:
    """The server's processes that serve the appointment service."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        return [row[0] for row in connection.execute(_BACKENDS, ("telemed_appointment",)).fetchall()]


@contextmanager
def frozen(pids: list[int]) -> Iterator[None]:
    """Processes stand still while the block runs."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


class Crowd:
    """Others who take every connection that a server has to give."""

    def __init__(self, server: Postgres) -> None:
        self._server = server
        self._taken: list[psycopg.Connection] = []

    def fill(self) -> None:
        """Takes what is left."""
        with suppress(psycopg.OperationalError):
            while True:
                self._taken.append(psycopg.connect(self._server.url(), autocommit=True))

    def take_the_place_of(self, pids: list[int]) -> None:
        """Ends connections, and is faster than whoever had them."""
        self._taken[0].execute("SELECT pg_terminate_backend(pid, 5000) FROM unnest(%s) AS pid", (pids,))
        self.fill()

    def leave(self) -> None:
        """Gives all back."""
        for connection in self._taken:
            connection.close()


@contextmanager
def all_connections_taken(server: Postgres) -> Iterator[Crowd]:
    """Others hold every connection that the server has left, while the block runs."""
    crowd = Crowd(server)
    try:
        crowd.fill()
        yield crowd
    finally:
        crowd.leave()
