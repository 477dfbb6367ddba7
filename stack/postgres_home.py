"""The folders of one PostgreSQL cluster, where its account can reach them, and the processes at work in them."""

import hashlib
import os
import shutil
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import quote

from stack.account import Account, database_account
from stack.postgres_binaries import programs_for

SUPERUSER = "telemed"
_LONGEST_SOCKET_FOLDER = 80  # the kernel takes 107 bytes for the folder and "/.s.PGSQL.5432.lock" together
_PRIVATE_HOMES = Path("/var/lib/telemed")  # for root's clusters whose data folder the account cannot reach
_POLL_SECONDS = 0.1
_PASSABLE = 0o711


@dataclass(frozen=True, slots=True)
class Home:
    """The folders of one cluster. `root` is the caller's, so that the account cannot plant links for root to follow."""

    root: Path
    account: Account

    @classmethod
    def of(cls, data: Path) -> Self:
        """The home for the data folder `data`, made when missing: `data/postgres`, or a link there to the real one."""
        account = database_account()
        wished = data.resolve() / "postgres"
        data.mkdir(parents=True, exist_ok=True)
        if wished.is_symlink() and not wished.exists():
            wished.unlink()  # somebody deleted the real one
        if not wished.is_symlink():
            wished.mkdir(exist_ok=True)
            wished.chmod(_PASSABLE)
            if account.can_enter(wished):
                return cls(wished, account)
            wished.rmdir()
            _link_to_private_home(wished)
        return cls(wished.resolve(), account)

    @property
    def cluster(self) -> Path:
        """What initdb makes."""
        return self.root / "cluster"

    @property
    def pid_file(self) -> Path:
        """Written by PostgreSQL: its pid in the first line, `ready` in the eighth."""
        return self.cluster / "postmaster.pid"

    @property
    def socket_folder(self) -> Path:
        """Where it listens: in the home, or under /tmp by a name derived from it when that path is too long."""
        near = self.root / "run"
        if len(os.fsencode(near)) <= _LONGEST_SOCKET_FOLDER:
            return near
        return Path("/tmp") / f"telemed-{hashlib.sha256(os.fsencode(near)).hexdigest()[:16]}"  # noqa: S108  a private folder, its owner is checked

    def url(self, database: str) -> str:
        """The connection URL of one database; it holds no secret, the socket's folder is the lock."""
        return f"postgresql:///{database}?host={quote(str(self.socket_folder), safe='')}&user={SUPERUSER}"

    def program(self, name: str) -> Path:
        """The path of one of PostgreSQL's programs, `psql` or `pgbench` for example."""
        return programs_for(self.account, self.root) / name


def forget_home(data: Path) -> None:
    """Delete the cluster of a data folder, wherever it lives; its server must not be running."""
    if not (data / "postgres").exists():
        return
    home = Home.of(data)
    end_left_over_processes(home)
    for folder in (home.socket_folder, home.root):
        if folder.exists():
            shutil.rmtree(folder)
    (data / "postgres").unlink(missing_ok=True)  # the link, where the real one lived elsewhere


def end_left_over_processes(home: Home, timeout_seconds: float = 15.0) -> None:
    """End the server processes of a run that is over; the caller holds the lock, so none of them has a master."""
    deadline = time.monotonic() + timeout_seconds
    order = signal.SIGINT
    while left := _processes_in(home):
        postmaster = pid_in(home.pid_file)
        for pid in left if postmaster not in left else [postmaster]:
            with suppress(ProcessLookupError):  # it ended by itself meanwhile
                os.kill(pid, order)
        time.sleep(_POLL_SECONDS)
        if time.monotonic() > deadline:
            order = signal.SIGKILL


def _processes_in(home: Home) -> list[int]:
    """The PostgreSQL processes at work in this cluster: each of them has it as its working folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended, or is none of ours to look at
            if (entry / "cwd").readlink() == home.cluster and entry.stat().st_uid == home.account.uid:
                found += [int(entry.name)] if (entry / "comm").read_text().startswith("postgres") else []
    return found


def pid_in(pid_file: Path) -> int | None:
    """The server's process id by its own pid file, which may be stale; None when there is no such file."""
    try:
        first = pid_file.read_text().partition("\n")[0]
    except FileNotFoundError:
        return None
    return int(first) if first.isdigit() else None


def _link_to_private_home(wished: Path) -> None:
    """Put the home of a data folder that the account cannot reach where it can, and leave a link behind."""
    real = _PRIVATE_HOMES / hashlib.sha256(os.fsencode(wished)).hexdigest()[:16]
    if real.exists():  # of a data folder that was deleted since: its link is gone, so it is nobody's
        end_left_over_processes(Home(real, database_account()))
        shutil.rmtree(real)
    real.mkdir(parents=True)
    for folder in (_PRIVATE_HOMES, real):
        folder.chmod(_PASSABLE)
    wished.symlink_to(real)
