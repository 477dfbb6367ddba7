"""What a running stack tells other programs: one JSON file in its data folder, and a lock that says it still runs."""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Self

from stack.issuer import write_file

_LOCK_ATTEMPTS = 5
_LOCK_PAUSE_SECONDS = 0.05


class AlreadyRunningError(Exception):
    """A stack runs on this data folder; `pid` is its supervisor's."""

    def __init__(self, data: Path, pid: int) -> None:
        super().__init__(f"a stack already runs on {data} (pid {pid}); stop it with `telemed down --data {data}`")
        self.pid = pid


@dataclass(frozen=True, slots=True)
class ProcessState:
    """One running process; `port` is None for PostgreSQL, which listens on a Unix socket."""

    pid: int | None
    port: int | None
    log: str
    restarts: int = 0


@dataclass(frozen=True, slots=True)
class State:
    """The state of a stack; `admin_ports` are those of the pages /metrics.

    Times of the stack's clock are in ISO 8601, or None for real time.
    """

    pid: int
    url: str
    database_urls: dict[str, str]
    processes: dict[str, ProcessState] = field(default_factory=dict)
    admin_ports: dict[str, int] = field(default_factory=dict)
    shows: str | None = None
    shown_at: str | None = None

    def write(self, data: Path) -> None:
        """Publish it: readable by its owner alone, since database URLs may hold passwords."""
        write_file(_file(data), json.dumps(asdict(self), indent=2).encode() + b"\n", mode=0o600)

    @classmethod
    def read(cls, data: Path) -> Self | None:
        """The state of the stack that runs on `data`, or None when none does."""
        if running_pid(data) is None:
            return None
        try:
            known = json.loads(_file(data).read_text())
        except FileNotFoundError:
            return None  # it is still starting
        processes = {name: ProcessState(**process) for name, process in known.pop("processes").items()}
        return cls(**known, processes=processes)


@contextmanager
def running_on(data: Path) -> Iterator[bool]:
    """Hold `data` for this process; tells whether the run before was killed. The kernel frees the lock in any case.

    Raises:
        AlreadyRunningError: another process holds it.
    """
    with _lock_file(data).open("a+") as lock:
        if not _is_locked(lock):
            raise AlreadyRunningError(data, _pid_in(_lock_file(data)))
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        was_killed = _file(data).exists()
        _file(data).unlink(missing_ok=True)
        try:
            yield was_killed
        finally:
            _file(data).unlink(missing_ok=True)


def running_pid(data: Path) -> int | None:
    """The process id of the supervisor that holds `data`; None when there is none, or none that has said its id yet."""
    try:
        lock = _lock_file(data).open("r")
    except FileNotFoundError:
        return None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _pid_in(_lock_file(data)) or None
    return None


def _is_locked(lock: IO[str]) -> bool:
    for _ in range(_LOCK_ATTEMPTS):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_LOCK_PAUSE_SECONDS)  # perhaps `telemed status` has it, just to look
        else:
            return True
    return False


def _pid_in(lock_file: Path) -> int:
    text = lock_file.read_text().strip()
    return int(text) if text.isdigit() else 0


def _file(data: Path) -> Path:
    return data / "state.json"


def _lock_file(data: Path) -> Path:
    return data / "lock"
