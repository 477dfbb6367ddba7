"""PostgreSQL restarted, away, frozen, full and lost under load: what callers are told, and how soon all is well again.

`python -m bench.postgres_faults`: a stack of one replica each on a PostgreSQL that this process torments, under a mixed
load that sends nothing twice. For each fault it prints how long PostgreSQL took no connections, how long after that the
last call failed, and the refusals: each must be UNAVAILABLE or DEADLINE_EXCEEDED (or shed), and say when to come again.
The last fault is the loss of the server, whose place a standby takes that every commit has waited for. At the end the
ledger must hold whatever was acknowledged. Ends with 1 when one of that is not so.
"""

import asyncio
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg
import uvloop

from bench.ledger import missing
from bench.mixed import mixed_load
from bench.outcomes import Outcome, Tally
from bench.rounds import table
from bench.running import Running, running_stack
from stack.postgres import Postgres
from stack.postgres_standby import SETTINGS, follow, lose, promote, url_of

CLIENTS = 8
PAUSE_SECONDS = 0.05
BACK_WITHIN_SECONDS = 1.5
_TYPED = frozenset({"UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED"})
_CALM_SECONDS = 4.0
_POLL_SECONDS = 0.01
_MOST_SECONDS = 60.0

Fault = Callable[[Postgres], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one fault did. Seconds; `back_after` counts from PostgreSQL's first connection to the last refusal."""

    name: str
    away: float
    back_after: float
    calls: int
    refused: Sequence[Outcome]

    @property
    def untyped(self) -> list[Outcome]:
        """Refusals that are not what they must be."""
        return [one for one in self.refused if one.code not in _TYPED or not one.tells_when]

    @property
    def holds(self) -> bool:
        """Whether every refusal was typed and all was well in time."""
        return not self.untyped and self.back_after <= BACK_WITHIN_SECONDS

    def row(self) -> tuple[str, ...]:
        """A line of the table."""
        codes = Counter(one.code for one in self.refused)
        longest = max((one.seconds for one in self.refused), default=0.0)
        return (
            self.name,
            f"{self.away:.2f}",
            f"{self.back_after:.2f}",
            f"{self.calls:,}",
            ", ".join(f"{count} {code}" for code, count in codes.items()) or "none",
            f"{longest:.1f}",
            str(len(self.untyped)),
        )


async def restart_fast(server: Postgres) -> None:
    """SIGINT and a start."""
    await asyncio.to_thread(server.stop)
    await asyncio.to_thread(server.start)


async def restart_immediate(server: Postgres) -> None:
    """SIGQUIT, which is a crash, and a start."""
    await _crash(server)
    await asyncio.to_thread(server.start)


async def outage(server: Postgres) -> None:
    """Five seconds without a server."""
    await asyncio.to_thread(server.stop)
    await asyncio.sleep(5)
    await asyncio.to_thread(server.start)


async def end_backends(server: Postgres) -> None:
    """Every connection ended by an administrator."""
    await asyncio.to_thread(_run, server, _END)


async def freeze_all(server: Postgres) -> None:
    """Five seconds in which no process of PostgreSQL moves."""
    backends = await asyncio.to_thread(_backends, server)
    with _frozen([_pid(server), *backends]):
        await asyncio.sleep(5)


async def freeze_postmaster(server: Postgres) -> None:
    """Five seconds without new connections; those that there are go on."""
    with _frozen([_pid(server)]):
        await asyncio.sleep(5)


async def freeze_backend(server: Postgres) -> None:
    """Five seconds in which one connection in two does not move."""
    backends = await asyncio.to_thread(_backends, server)
    with _frozen(backends[::2]):
        await asyncio.sleep(5)


async def fill_up(server: Postgres) -> None:
    """Five seconds in which others hold every connection."""
    taken: list[psycopg.Connection] = [psycopg.connect(server.url(), autocommit=True)]
    taken[0].execute(_END)
    with suppress(psycopg.OperationalError):
        while True:
            taken.append(psycopg.connect(server.url(), autocommit=True))  # faster than anybody else: nothing is awaited
    await asyncio.sleep(5)
    for connection in taken:
        connection.close()


async def fail_over(primary: Postgres, standby: Postgres) -> None:
    """The server's machine is lost, and the standby promoted."""
    await asyncio.to_thread(lose, primary)
    await asyncio.to_thread(promote, standby)


FAULTS: dict[str, Fault] = {
    "restart, fast": restart_fast,
    "restart, immediate": restart_immediate,
    "5 s outage": outage,
    "backends ended": end_backends,
    "all frozen 5 s": freeze_all,
    "postmaster frozen 5 s": freeze_postmaster,
    "half the backends frozen 5 s": freeze_backend,
    "no connection left 5 s": fill_up,
}
_END = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'telemed_%'"
_BACKENDS = "SELECT pid FROM pg_stat_activity WHERE datname LIKE 'telemed_%'"


def _run(server: Postgres, statement: str) -> list[int]:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        return [row[0] for row in connection.execute(statement).fetchall()]


def _backends(server: Postgres) -> list[int]:
    return _run(server, _BACKENDS)


def _pid(server: Postgres) -> int:
    if server.pid is None:
        raise RuntimeError("PostgreSQL has ended")
    return server.pid


async def _crash(server: Postgres) -> None:
    os.kill(_pid(server), signal.SIGQUIT)
    while server.pid is not None:  # noqa: ASYNC110 - a process has no event
        await asyncio.sleep(_POLL_SECONDS)
    await asyncio.to_thread(server.stop)


@contextmanager
def _frozen(pids: Sequence[int]) -> Iterator[None]:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


async def observe(server: Postgres, tally: Tally, name: str, fault: Fault) -> Finding:
    """One fault, and the calm after it."""
    before = len(tally.outcomes)
    began = time.monotonic()
    await fault(server)
    accepts = await _accepts(server)
    await asyncio.sleep(_CALM_SECONDS)
    outcomes = [one for one in tally.outcomes[before:] if one.began <= accepts + _CALM_SECONDS]
    refused = [one for one in outcomes if one.code != "OK"]
    last = max((one.ended for one in refused), default=accepts)
    return Finding(name, accepts - began, max(0.0, last - accepts), len(outcomes), refused)


async def _accepts(server: Postgres) -> float:
    """When PostgreSQL takes a connection and answers."""
    deadline = time.monotonic() + _MOST_SECONDS
    while True:
        try:
            await asyncio.to_thread(_run, server, "SELECT 1")
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(_POLL_SECONDS)
        else:
            return time.monotonic()


async def torment(running: Running, server: Postgres, standby: Postgres) -> bool:
    """All faults, one after the other, the server's end last. Whether everything holds."""
    async with mixed_load(
        running, clients=CLIENTS, pause_seconds=PAUSE_SECONDS, heeds_health=False, call_seconds=10
    ) as tally:
        await asyncio.sleep(_CALM_SECONDS)
        findings = [await observe(server, tally, name, fault) for name, fault in FAULTS.items()]
        await asyncio.to_thread(follow, server, standby)
        findings.append(await observe(standby, tally, "lost, standby promoted", partial(fail_over, server)))
    lost = await missing(running, tally.acknowledged)
    head = ["fault", "s away", "s until well", "calls", "refused", "longest s", "untyped"]
    table(head, [finding.row() for finding in findings])
    for one in [one for finding in findings for one in finding.untyped][:10]:
        print(f"  {one.operation}: {one.code} {one.reason} after {one.seconds:.1f} s")
    print(f"  {len(tally.acknowledged):,} bookings acknowledged, {lost} missing")
    return not lost and all(finding.holds for finding in findings)


async def main() -> bool:
    """Runs and prints. Whether everything holds."""
    print(f"bench.postgres_faults: {CLIENTS} clients\n", flush=True)
    with _own_servers() as (server, standby):
        async with running_stack(1, {"TELEMED_DATABASE_URL": url_of(server, standby)}) as running:
            return await torment(running, server, standby)


@contextmanager
def _own_servers() -> Iterator[tuple[Postgres, Postgres]]:
    """A server that runs, and one that may take its place later."""
    with tempfile.TemporaryDirectory(prefix="telemed-bench-") as folder:
        data = Path(folder)
        data.chmod(0o755)  # the account that PostgreSQL runs under must be able to enter
        server, standby = (
            Postgres(data / name, log=data / f"{name}.log", max_connections=80, settings=SETTINGS)
            for name in ("primary", "standby")
        )
        try:
            server.start()
            yield server, standby
        finally:
            standby.stop()
            server.stop()


if __name__ == "__main__":
    sys.exit(0 if uvloop.run(main()) else 1)
