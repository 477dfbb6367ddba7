"""A second PostgreSQL that follows the first and can take its place: for tests and drills of a failover."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, LiteralString
from urllib.parse import quote

import psycopg

from stack.postgres import Postgres, PostgresError
from stack.postgres_home import SUPERUSER

# Both servers run with these: whichever is the first may be followed.
SETTINGS = {"wal_level": "replica", "max_wal_senders": "4", "wal_retrieve_retry_interval": "100ms"}
_PATIENCE_SECONDS = 60.0
_POLL_SECONDS = 0.02
_IN_STEP = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND sync_state IN ('sync', 'quorum')"


def url_of(*servers: Postgres, database: str = "postgres") -> str:
    """The URL that leads to whichever of the servers takes writes."""
    hosts = ",".join(quote(str(server.home.socket_folder), safe="") for server in servers)
    return f"postgresql:///{database}?host={hosts}&user={SUPERUSER}&target_session_attrs=read-write"


def follow(primary: Postgres, standby: Postgres) -> None:
    """Makes a standby from a base backup, starts it, and from then on no commit is answered before it has it too.

    Raises:
        PostgresError: the base backup failed, or the standby does not catch up.
    """
    _let_in(primary, standby)
    account = standby.home.account
    account.make_private_folder(standby.home.cluster)
    command = [
        *(str(standby.home.program("pg_basebackup")), "-D", str(standby.home.cluster), "-d", primary.url()),
        *("--write-recovery-conf", "--checkpoint=fast", "--no-sync"),
    ]
    made = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False, **account.credentials)
    if made.returncode != 0:
        raise PostgresError(f"pg_basebackup failed: {made.stderr}")
    standby.start()
    # Not before the backup, which takes the primary's settings along: once alone, the standby must not wait for one.
    set_(primary, "synchronous_standby_names", "*")
    _wait_until(lambda: ask(primary, _IN_STEP) == 1, "the standby is in step")


def lose(server: Postgres) -> None:
    """Kills a server and all of its processes, as the loss of its machine does."""
    if server.pid is None:
        raise PostgresError("the server has ended already")
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    for pid in (server.pid, *map(int, children)):
        with suppress(ProcessLookupError):  # it went with its master
            os.kill(pid, signal.SIGKILL)
    server.stop()


def promote(standby: Postgres) -> None:
    """Makes a standby the first server, and returns when it takes writes. Raises PostgresError when it does not."""
    if not ask(standby, "SELECT pg_promote(true, %s)", int(_PATIENCE_SECONDS)):
        raise PostgresError("the standby was not promoted")


def set_(server: Postgres, setting: str, value: str) -> None:
    """Changes a setting of a running server for good."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(psycopg.sql.SQL("ALTER SYSTEM SET {} = {}").format(psycopg.sql.Identifier(setting), value))
        connection.execute("SELECT pg_reload_conf()")
    _wait_until(lambda: ask(server, "SELECT current_setting(%s)", setting) == value, f"{setting} is {value}")


def ask(server: Postgres, question: LiteralString, *values: object, database: str = "postgres") -> Any:
    """The one value that a query answers."""
    with psycopg.connect(server.url(database), autocommit=True) as connection:
        row = connection.execute(question, values).fetchone()
    return row[0] if row else None


def _let_in(primary: Postgres, standby: Postgres) -> None:
    """Lets the account that the standby runs under connect to the primary; where it is the caller's, it may already."""
    account = standby.home.account
    if account.switch:
        with (primary.home.root / "ident.conf").open("a") as known:
            known.write(f'caller "{account.name}" {SUPERUSER}\n')
        ask(primary, "SELECT pg_reload_conf()")


def _wait_until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise PostgresError(f"not within {_PATIENCE_SECONDS:g} s: {what}")
        time.sleep(_POLL_SECONDS)
