"""The commands that act on a stack from outside, or without one: down, status, token, psql, migrate, issuer."""

import asyncio
import os
import shutil
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from chassis.context import Role
from stack import databases
from stack.issuer import Issuer
from stack.postgres import Postgres
from stack.postgres_binaries import installed_program
from stack.postgres_home import forget_home
from stack.probes import is_ready
from stack.service_tokens import keep_service_tokens, write_service_tokens
from stack.state import ProcessState, State, running_on, running_pid
from stack.tasks import Tasks

NOTHING_RUNS = 3
_DOWN_SECONDS = 60.0
_POLL_SECONDS = 0.1
_MADE_HERE = ("issuer", "tokens", "logs", "video-join.pem", "demo.json", "state.json", "lock")


class CommandError(Exception):
    """The command cannot be carried out; the message says why."""


def down(data: Path) -> int:
    """Stop the stack that runs on `data` and wait for its end; fine when none does."""
    pid = running_pid(data)
    if pid is None:
        print(f"nothing runs on {data}")
        return 0
    with suppress(ProcessLookupError):  # it has just ended by itself
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _DOWN_SECONDS
    while running_pid(data) == pid:
        if time.monotonic() > deadline:
            raise CommandError(f"the supervisor (pid {pid}) has not ended within {_DOWN_SECONDS:.0f} s")
        time.sleep(_POLL_SECONDS)
    print(f"stopped (pid {pid})")
    return 0


async def status(data: Path) -> int:
    """Print a line for each process. 0 when all are well, 1 when not, 3 when nothing runs."""
    state = State.read(data)
    if state is None:
        print(f"nothing runs on {data}")
        return NOTHING_RUNS
    print(f"{state.url}   supervisor {state.pid}" + (f"   clock started at {state.shows}" if state.shows else ""))
    words = await asyncio.gather(*(_health(name, process) for name, process in state.processes.items()))
    print(f"{'':<13}{'pid':>8}{'port':>7}{'restarts':>10}  health")
    for (name, process), word in zip(state.processes.items(), words, strict=True):
        print(f"{name:<13}{process.pid or '-':>8}{process.port or '-':>7}{process.restarts:>10}  {word}")
    return 0 if set(words) == {_WELL} else 1


def token(data: Path, role: Role, subject: str, *, actor: str, ttl: timedelta, now: datetime) -> int:
    """Print a token of the data folder's issuer, and nothing else. People are named by UUID.

    An `actor` acts for the subject; empty when they act for themselves.
    """
    if role is not Role.SERVICE:
        subject = _uuid(subject)
    if actor and role is not Role.PATIENT:
        raise CommandError("--actor: somebody can act for a patient alone")
    print(Issuer.of(data).mint(role, subject, now=now, ttl=ttl, actor=_uuid(actor) if actor else ""))
    return 0


async def healthcheck(name: str, port: int) -> int:
    """Tell by the exit code whether a process is ready, for container engines."""
    return 0 if await is_ready(name, port) else 1


async def issue(data: Path) -> int:
    """Keep the issuer's keys and the services' own tokens in a data folder, until told to stop."""
    issuer = Issuer.of(data)
    write_service_tokens(issuer, data)
    print(f"keys: {issuer.jwks_file}; service tokens: {data / 'tokens'}", flush=True)
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    async with Tasks() as tasks:
        tasks.start(keep_service_tokens(issuer, data))
        await tasks.fail_or(told.wait())
    return 0


def database_url(data: Path, service: str, environment: Mapping[str, str]) -> str:
    """A service's database in the stack that runs on `data`, else the one that the environment names."""
    state = State.read(data)
    urls = state.database_urls if state else databases.urls_from(environment)
    if urls is None:
        raise CommandError(f"nothing runs on {data}; start it with `telemed up --data {data}`")
    return urls[service]


def psql(data: Path, service: str, arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Become psql on a service's database."""
    url = database_url(data, service, environment)
    program = str(installed_program("psql"))
    os.execv(program, [program, url, *arguments])  # noqa: S606  becoming psql is the point


async def migrate(data: Path, environment: Mapping[str, str]) -> int:
    """Create and migrate all databases, those of a running stack too."""
    state = State.read(data)
    urls = state.database_urls if state else databases.urls_from(environment)
    if urls is not None:
        await databases.prepare(urls, print)
    else:
        logs = data / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        with running_on(data), Postgres(data, log=logs / "postgres.log") as server:
            await databases.prepare(databases.urls_on(server.url()), print)
    print("all databases are at their newest migration")
    return 0


def forget(data: Path) -> int:
    """Delete what stacks have made in `data`: databases, keys, logs. What they have not made stays."""
    if not data.exists():
        return 0
    with running_on(data):
        forget_home(data)
        for name in _MADE_HERE:
            path = data / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    with suppress(OSError):  # something of the user's is in it
        data.rmdir()
    print(f"forgotten: {data}")
    return 0


_WELL = "ready"


async def _health(name: str, process: ProcessState) -> str:
    if process.pid is None or not _is_alive(process.pid):
        return "ended"
    if process.port is None or await is_ready(name, process.port):
        return _WELL
    return "not ready"


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise CommandError(f"--subject {text} is not a UUID") from None
