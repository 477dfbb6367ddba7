"""Forward-only schema migrations: numbered .sql files, run once each, one runner at a time."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import tuple_row

from chassis.connection import options

_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
# Any constant will do; it keeps two runners on one database apart.
_LOCK_KEY = 7_236_518_004
_CREATE_LEDGER = """
    CREATE TABLE IF NOT EXISTS schema_migration (
        version int PRIMARY KEY,
        name text NOT NULL,
        sha256 text NOT NULL,
        apply_time timestamptz NOT NULL DEFAULT now()
    )
"""


class MigrationError(Exception):
    """The migrations of the code and those of the database do not belong together."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step, from a file named NNNN_verb_noun.sql."""

    version: int
    name: str
    text: str

    @property
    def sha256(self) -> str:
        """The fingerprint by which an edited step is noticed."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def migrations_in(folder: Path) -> list[Migration]:
    """The steps of a folder in order. Raises MigrationError when numbers are missing or doubled."""
    steps = []
    for path in sorted(folder.glob("*.sql")):
        match = _NAME.fullmatch(path.name)
        if match is None:
            raise MigrationError(f"{path.name} is not named NNNN_verb_noun.sql")
        steps.append(Migration(int(match[1]), match[2], path.read_text()))
    if [step.version for step in steps] != list(range(1, len(steps) + 1)):
        raise MigrationError(f"the numbers in {folder} must run 0001, 0002, … without a gap")
    return steps


async def migrate(url: str, folder: Path) -> int:
    """Brings a database to the newest step of a folder and tells how many steps that took.

    Each step is a transaction of its own. Raises MigrationError when a step that ran before has since been edited.
    """
    steps = migrations_in(folder)
    async with await psycopg.AsyncConnection.connect(url, **_options(url)) as connection:
        await connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK_KEY,))
        await connection.execute(_CREATE_LEDGER)
        cursor = await connection.execute("SELECT version, sha256 FROM schema_migration")
        applied: dict[int, str] = dict(await cursor.fetchall())
        for step in steps:
            if applied.get(step.version, step.sha256) != step.sha256:
                raise MigrationError(f"migration {step.version:04d} was edited after it ran; add a new one instead")
        pending = [step for step in steps if step.version not in applied]
        for step in pending:
            async with connection.transaction():
                await connection.execute(step.text)
                await connection.execute(
                    "INSERT INTO schema_migration (version, name, sha256) VALUES (%s, %s, %s)",
                    (step.version, step.name, step.sha256),
                )
    return len(pending)


async def require_current(url: str, folder: Path) -> None:
    """Refuses to go on with a database that lacks a step of this code. A newer database is welcome (N-1 code)."""
    newest = len(migrations_in(folder))
    async with await psycopg.AsyncConnection.connect(url, **_options(url)) as connection:
        try:
            cursor = await connection.execute("SELECT coalesce(max(version), 0) FROM schema_migration")
            row = await cursor.fetchone()
        except psycopg.errors.UndefinedTable:
            row = None
    found = row[0] if row else 0
    if found < newest:
        raise MigrationError(f"the database is at migration {found}, this code needs {newest}: run `telemed migrate`")


def _options(url: str) -> dict[str, Any]:
    return {**options(url), "row_factory": tuple_row}
