"""One database for each service: where it is, created when missing, migrated to the newest step."""

import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from chassis.migrations import migrate

SERVICES = ("appointment", "doctor", "video")


class DatabaseConfigurationError(Exception):
    """The environment names databases for some services and not for others."""


def database_name(service: str) -> str:
    """The name of a service's database on a server that all of them share."""
    return f"telemed_{service}"


def urls_on(server_url: str) -> dict[str, str]:
    """The database of each service on one server; `server_url` may be a URL or a libpq connection string."""
    return {service: make_conninfo(server_url, dbname=database_name(service)) for service in SERVICES}


def urls_from(environment: Mapping[str, str]) -> dict[str, str] | None:
    """The databases that the environment asks for, or None when it leaves the choice to us.

    TELEMED_DATABASE_URL names a server, TELEMED_APPOINTMENT_DATABASE_URL and its like one database; the latter wins.
    Each may be given as a file instead: TELEMED_DATABASE_URL_FILE and its like.

    Raises:
        DatabaseConfigurationError: some service has none.
    """
    shared = _given(environment, "TELEMED_DATABASE_URL")
    urls = urls_on(shared) if shared else {}
    for service in SERVICES:
        if own := _given(environment, _variable(service)):
            urls[service] = own
    if missing := [_variable(service) for service in SERVICES if urls and service not in urls]:
        raise DatabaseConfigurationError(f"set {', '.join(missing)} too, or TELEMED_DATABASE_URL for all")
    return urls or None


def _given(environment: Mapping[str, str], variable: str) -> str:
    file = environment.get(f"{variable}_FILE", "")
    return environment.get(variable, "") or (Path(file).read_text().strip() if file else "")


def migrations_of(service: str) -> Path:
    """The folder of a service's migrations; the service itself is not imported."""
    package = importlib.util.find_spec(f"{service}_svc")
    if package is None or package.origin is None:
        raise ModuleNotFoundError(f"{service}_svc is not installed")
    return Path(package.origin).parent / "storage" / "migrations"


async def prepare(urls: Mapping[str, str], tell: Callable[[str], None]) -> None:
    """Create what is missing and migrate all; `tell` hears one line for each service that changed."""
    for service, url in urls.items():
        created = await create_when_missing(url)
        steps = await migrate(url, migrations_of(service))
        if created or steps:
            tell(f"{service}: database {'created, ' if created else ''}{steps} migration(s) applied")


async def create_when_missing(url: str) -> bool:
    """Create the database that `url` names, unless it is there. Returns whether it was created."""
    try:
        await (await psycopg.AsyncConnection.connect(url)).close()
    except psycopg.OperationalError:
        # A failed connection carries no SQLSTATE, so whether the name is what was wrong is asked of the server.
        return await _create(url)
    return False


async def _create(url: str) -> bool:
    name = str(conninfo_to_dict(url)["dbname"])
    maintenance = make_conninfo(url, dbname="postgres")
    async with await psycopg.AsyncConnection.connect(maintenance, autocommit=True) as connection:
        try:
            await connection.execute(sql.SQL("CREATE DATABASE {} ENCODING 'UTF8'").format(sql.Identifier(name)))
        except psycopg.errors.DuplicateDatabase:
            return False  # made by someone else meanwhile, or its trouble is another: the next connection tells
    return True


def _variable(service: str) -> str:
    return f"TELEMED_{service.upper()}_DATABASE_URL"
