"""A real PostgreSQL for tests: one server a run, one template database a service, one clone of it a test.

TELEMED_TEST_DATABASE_URL names a server to use instead of an embedded one; its account must be allowed to create
databases. Every worker of pytest-xdist has a server, or at least database names, of its own.
"""

import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from chassis.migrations import migrate
from stack.databases import migrations_of
from stack.postgres import Postgres


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The connection URL of the maintenance database of a server that tests may do anything with."""
    if given := os.environ.get("TELEMED_TEST_DATABASE_URL"):
        yield given
        return
    # Not pytest's own temporary folder: the account that PostgreSQL runs under cannot enter root's.
    with tempfile.TemporaryDirectory(prefix="telemed-tests-") as folder:
        data = Path(folder)
        data.chmod(0o755)
        with Postgres(data, log=data / "postgres.log", durable=False) as server:
            yield server.url()


class Databases:
    """Makes and drops databases on one server, under names that nobody else uses."""

    def __init__(self, server_url: str) -> None:
        self._server_url = server_url
        self._run = uuid4().hex[:8]
        self._made = 0

    def url(self, name: str) -> str:
        """The connection string of one database."""
        return make_conninfo(self._server_url, dbname=name)

    async def create(self, label: str, *, template: str = "template0") -> str:
        """Make a database and answer its name."""
        self._made += 1
        name = f"test_{label}_{self._run}_{self._made}"
        await self._run_statement("CREATE DATABASE {} TEMPLATE {}", name, template)
        return name

    async def drop(self, name: str) -> None:
        """Drop a database, whoever is still connected."""
        await self._run_statement("DROP DATABASE {} WITH (FORCE)", name)

    async def _run_statement(self, text: str, *names: str) -> None:
        async with await psycopg.AsyncConnection.connect(
            self._server_url, autocommit=True, connect_timeout=60
        ) as connection:
            # Long before the test's own time is up, so that its report names what hangs.
            await connection.execute("SET statement_timeout = '60s'")
            await connection.execute(sql.SQL(text).format(*map(sql.Identifier, names)))


@pytest.fixture(scope="session")
def databases(postgres_url: str) -> Databases:
    """For tests that need a database other than a service's own."""
    return Databases(postgres_url)


@pytest.fixture(scope="session")
async def appointment_template(databases: Databases) -> AsyncIterator[str]:
    """The name of a migrated, empty appointment database."""
    async with _template(databases, "appointment") as name:
        yield name


@pytest.fixture(scope="session")
async def doctor_template(databases: Databases) -> AsyncIterator[str]:
    """The name of a migrated, empty doctor database."""
    async with _template(databases, "doctor") as name:
        yield name


@pytest.fixture(scope="session")
async def video_template(databases: Databases) -> AsyncIterator[str]:
    """The name of a migrated, empty video database."""
    async with _template(databases, "video") as name:
        yield name


@pytest.fixture
async def appointment_db_url(databases: Databases, appointment_template: str) -> AsyncIterator[str]:
    """The URL of an empty appointment database that is this test's alone."""
    async with _clone(databases, "appointment", appointment_template) as url:
        yield url


@pytest.fixture
async def doctor_db_url(databases: Databases, doctor_template: str) -> AsyncIterator[str]:
    """The URL of an empty doctor database that is this test's alone."""
    async with _clone(databases, "doctor", doctor_template) as url:
        yield url


@pytest.fixture
async def video_db_url(databases: Databases, video_template: str) -> AsyncIterator[str]:
    """The URL of an empty video database that is this test's alone."""
    async with _clone(databases, "video", video_template) as url:
        yield url


@asynccontextmanager
async def _template(databases: Databases, service: str) -> AsyncIterator[str]:
    name = await databases.create(f"template_{service}")
    await migrate(databases.url(name), migrations_of(service))
    yield name
    await databases.drop(name)


@asynccontextmanager
async def _clone(databases: Databases, service: str, template: str) -> AsyncIterator[str]:
    name = await databases.create(service, template=template)
    yield databases.url(name)
    await databases.drop(name)
