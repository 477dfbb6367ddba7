"""PostgreSQL on this machine, without an installation: make a cluster, start it, stop it, say where it listens.

It listens on a Unix socket in a folder that only its own account may enter, and lets in the account that started it
alone (`peer`). Started as root it runs as an unprivileged account, in a folder that this account can reach. It never
outlives its starter: see `stack.leash`.
"""

import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Self

from stack.leash import leashed
from stack.postgres_home import SUPERUSER, Home, end_left_over_processes, pid_in

_POLL_SECONDS = 0.02


class PostgresError(Exception):
    """PostgreSQL could not be made, started or stopped; the message holds the end of its log."""


class Postgres:
    """One cluster and the server that runs on it. Not for use from several threads."""

    def __init__(
        self,
        data: Path,
        *,
        log: Path,
        durable: bool = True,
        max_connections: int = 200,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """Describe the server; `start` makes and starts it.

        Args:
            data: The data folder of the stack; the cluster lives below it.
            log: The file that the server's output is appended to.
            durable: False gives up fsync and crash safety for speed, for tests.
            max_connections: As PostgreSQL means it.
            settings: Further settings of PostgreSQL, which win over ours.
        """
        self.home = Home.of(data)
        self._log = log
        self._durable = durable
        self._max_connections = max_connections
        self._more = dict(settings or {})
        self._lock: IO[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def url(self, database: str = "postgres") -> str:
        """The connection URL of one database."""
        return self.home.url(database)

    def start(self, timeout_seconds: float = 60.0) -> None:
        """Make the cluster when there is none, end what an earlier run left behind, start and wait until it answers.

        A crash before is recovered by PostgreSQL itself, within `timeout_seconds`.

        Raises:
            PostgresError: another process runs this cluster, or the server did not come up.
        """
        self._take_lock()
        try:
            end_left_over_processes(self.home)
            self.home.account.make_private_folder(self.home.socket_folder)
            if not self.home.cluster.exists():
                self._make_cluster()
            self._launch()
            self._wait_until_ready(time.monotonic() + timeout_seconds)
        except BaseException:
            self.stop()
            raise

    def stop(self, timeout_seconds: float = 15.0) -> None:
        """End every connection and stop cleanly ("fast"); past `timeout_seconds` at once. Safe to repeat."""
        if self._process is not None:
            for order, patience in ((signal.SIGINT, timeout_seconds), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
                if self._process.poll() is None:
                    self._process.send_signal(order)
                    with suppress(subprocess.TimeoutExpired):  # the next order is stronger
                        self._process.wait(patience)
            self._process = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _take_lock(self) -> None:
        lock = (self.home.root / "lock").open("a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise PostgresError(f"another process runs the database in {self.home.root}") from None
        self._lock = lock

    def _make_cluster(self) -> None:
        unfinished = self.home.root / "cluster.new"  # renamed when done: a killed initdb is never taken for a cluster
        shutil.rmtree(unfinished, ignore_errors=True)
        self.home.account.make_private_folder(unfinished)
        command = [
            *(str(self.home.program("initdb")), "--pgdata", str(unfinished), "--username", SUPERUSER),
            *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            *("--auth-local=peer", "--auth-host=reject"),
        ]
        if not self._durable:
            command.append("--no-sync")
        with self._log.open("ab") as log:
            made = subprocess.run(
                command, cwd="/", env=_ENVIRONMENT, stdout=log, stderr=log, check=False, **self.home.account.credentials
            )
        if made.returncode != 0:
            raise PostgresError(f"initdb failed: {self._end_of_log()}")
        unfinished.rename(self.home.cluster)

    def _launch(self) -> None:
        _write_access_files(self.home)
        settings = _settings(self.home, durable=self._durable, max_connections=self._max_connections) | self._more
        command = [str(self.home.program("postgres")), "-D", str(self.home.cluster)]
        command += [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                leashed(command, on_parent_death=signal.SIGINT, account=self.home.account.identity),
                cwd="/",
                env=_ENVIRONMENT | _grandparent(self.home.pid_file),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C at the terminal is for the supervisor alone
            )

    def _wait_until_ready(self, deadline: float) -> None:
        assert self._process is not None  # noqa: S101  a private step of start
        while not _is_ready(self.home.pid_file, self._process.pid):
            if self._process.poll() is not None:
                raise PostgresError(f"PostgreSQL ended while it started: {self._end_of_log()}")
            if time.monotonic() > deadline:
                raise PostgresError(f"PostgreSQL did not become ready: {self._end_of_log()}")
            time.sleep(_POLL_SECONDS)

    def _end_of_log(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines() if self._log.exists() else []
        return "\n".join([f"(the log is {self._log})", *lines[-10:]])


# Nothing of the caller's environment reaches the server: PGDATA, PGPORT and the like would change what it does.
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def _is_ready(pid_file: Path, pid: int) -> bool:
    try:
        lines = pid_file.read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"  # noqa: PLR2004  see Home.pid_file


def _grandparent(pid_file: Path) -> dict[str, str]:
    """After a reboot the pid in a stale file may be another program's: named so, it is no twin.

    Better than deleting the file: its other half, the check for processes still attached, stays in force.
    """
    stale = pid_in(pid_file)
    return {} if stale is None else {"PG_GRANDPARENT_PID": str(stale)}


def _write_access_files(home: Home) -> None:
    """Who may connect: the account that runs this program, under one name, by the socket."""
    caller = pwd.getpwuid(os.geteuid()).pw_name
    (home.root / "hba.conf").write_text("local all,replication all peer map=caller\n")
    (home.root / "ident.conf").write_text(f'caller "{caller}" {SUPERUSER}\n')
    for name in ("hba.conf", "ident.conf"):
        (home.root / name).chmod(0o644)


def _settings(home: Home, *, durable: bool, max_connections: int) -> dict[str, str]:
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(home.socket_folder),
        "hba_file": str(home.root / "hba.conf"),
        "ident_file": str(home.root / "ident.conf"),
        "max_connections": str(max_connections),
        "shared_buffers": "128MB",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "deadlock_timeout": "200ms",
        "log_line_prefix": "%m [%p] %d ",
        "log_error_verbosity": "terse",  # DETAIL lines hold values of rows
        "log_min_error_statement": "panic",  # so do statements
        "max_wal_senders": "0",
        "wal_level": "minimal",
        "max_wal_size": "512MB",
        "cluster_name": "telemed",
    }
    if not durable:
        settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}
    return settings
