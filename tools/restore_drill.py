"""Rehearses the loss of the database: `python -m tools.restore_drill` backs up, breaks, restores, verifies.

Two disasters, each restored from one base backup and the log that was received meanwhile: the disk is gone (nothing
that was acknowledged may be missing), and somebody's mistake (the state of the moment before it). Everything happens
in a throwaway folder with a PostgreSQL of its own.
"""

import argparse
import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from stack import audit, databases
from stack.demo_data import seed
from stack.postgres import Postgres

_PRIMARY = {"wal_level": "replica", "max_wal_senders": "4"}
_RECEIVER = "pg_receivewal"
_WAIT_FOR_RECEIVER = "ALTER SYSTEM SET synchronous_standby_names = 'pg_receivewal'"
_CREATE = (
    "CREATE TABLE drill_write (number bigint PRIMARY KEY, write_time timestamptz NOT NULL DEFAULT clock_timestamp())"
)


class Writer:
    """Commits a row after another; `acknowledged` is the last one whose commit was answered."""

    def __init__(self, url: str) -> None:
        self.acknowledged = 0
        self._url = url
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def stop(self) -> None:
        """Ends, or notes that it has ended with the server."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            with psycopg.connect(self._url, autocommit=True) as connection:
                while not self._stop.is_set():
                    connection.execute("INSERT INTO drill_write VALUES (%s)", (self.acknowledged + 1,))
                    self.acknowledged += 1
        except psycopg.OperationalError:
            return


class Drill:
    """One rehearsal in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._primary = Postgres(folder / "primary", log=folder / "primary.log", settings=_PRIMARY)
        self._backup, self._received = folder / "backup", folder / "received"
        self._appointment = databases.urls_on(self._primary.url())["appointment"]

    async def run(self, seconds: float) -> bool:
        """The whole of it; whether nothing was lost and every chain verified."""
        self._primary.start()
        try:
            urls = databases.urls_on(self._primary.url())
            await databases.prepare(urls, print)
            await seed(urls, datetime.now(UTC))
            with psycopg.connect(self._appointment, autocommit=True) as connection:
                connection.execute(_CREATE)
                connection.execute("SELECT sequence_events(100000)")  # no service runs here that would
            with self._receiving():
                self._back_up()
                writer, good = self._live_and_err(seconds)
                self._lose_the_disk()
                writer.stop()
        finally:
            self._primary.stop()
        return await self._restore_everything(writer.acknowledged) and await self._restore_until(*good)

    @contextmanager
    def _receiving(self) -> Iterator[None]:
        """A commit is answered once the receiver has it on its disk too."""
        self._received.mkdir()
        command = [str(self._program(_RECEIVER)), "-D", str(self._received), "--synchronous", "--no-loop"]
        with (self._folder / "receiver.log").open("wb") as log:
            receiver = subprocess.Popen([*command, "-d", self._primary.url()], stdout=log, stderr=log)
        try:
            with psycopg.connect(self._primary.url(), autocommit=True) as connection:
                while connection.execute("SELECT count(*) FROM pg_stat_replication").fetchone() != (1,):
                    time.sleep(0.1)
                connection.execute(_WAIT_FOR_RECEIVER)
                connection.execute("SELECT pg_reload_conf()")
            yield
        finally:
            # It ends with the server; a drill that fails before must end it.
            if self._primary.pid is not None:
                receiver.terminate()
            receiver.wait(30)

    def _back_up(self) -> None:
        began = time.monotonic()
        command = [str(self._program("pg_basebackup")), "-D", str(self._backup), "-X", "none", "-c", "fast"]
        subprocess.run([*command, "-d", self._primary.url(), "--no-verify-checksums"], check=True, capture_output=True)
        size = sum(path.stat().st_size for path in self._backup.rglob("*") if path.is_file())
        print(f"base backup: {size / 1e6:.0f} MB in {time.monotonic() - began:.1f} s")

    def _live_and_err(self, seconds: float) -> tuple[Writer, tuple[datetime, int]]:
        """Writes, notes a good moment, makes a mistake, goes on writing."""
        writer = Writer(self._appointment)
        writer.start()
        time.sleep(seconds / 2)
        with psycopg.connect(self._appointment, autocommit=True) as connection:
            row = connection.execute("SELECT clock_timestamp(), (SELECT max(number) FROM drill_write)").fetchone()
            assert row is not None, "a query without a table answers one row"  # noqa: S101 - for the type checker
            connection.execute("DROP TABLE patient_claim")
        time.sleep(seconds / 2)
        return writer, (row[0].astimezone(UTC), row[1])

    def _lose_the_disk(self) -> None:
        pid = self._primary.pid
        assert pid is not None, "it runs"  # noqa: S101 - for the type checker
        os.kill(pid, signal.SIGKILL)
        time.sleep(1)
        shutil.rmtree(self._primary.home.cluster)

    async def _restore_everything(self, acknowledged: int) -> bool:
        with self._restored("whole", {}) as (server, began):
            ready = time.monotonic() - began
            restored = _one(server, "SELECT coalesce(max(number), 0) FROM drill_write")
            whole = await self._verify(server)
            lost = max(0, acknowledged - restored)
            verified = time.monotonic() - began
            print(f"disk lost: RPO {lost} of {acknowledged:,} acknowledged commits; {_rto(ready, verified)}")
            return whole and not lost

    async def _restore_until(self, moment: datetime, written: int) -> bool:
        target = {"recovery_target_time": moment.isoformat(), "recovery_target_action": "promote"}
        with self._restored("until", target) as (server, began):
            ready = time.monotonic() - began
            restored = _one(server, "SELECT coalesce(max(number), 0) FROM drill_write")
            claims = _one(server, "SELECT count(*) FROM patient_claim")
            whole = await self._verify(server)
            verified, beside = time.monotonic() - began, restored - written
            print(f"mistake: restored to {moment:%H:%M:%S.%f}, {beside} commits beside it, {claims} claims back")
            print(f"mistake: {_rto(ready, verified)}")
            # A commit that was under way at the moment is on either side of it.
            return whole and abs(restored - written) <= 1 and claims > 0

    @contextmanager
    def _restored(self, name: str, target: dict[str, str]) -> Iterator[tuple[Postgres, float]]:
        """The base backup with the received log on top, as a server of its own; and when its making began."""
        began = time.monotonic()
        source = self._received
        fetch = f'cp {source}/%f "%p" 2>/dev/null || cp {source}/%f.partial "%p"'
        settings = _PRIMARY | {"restore_command": fetch, "synchronous_standby_names": ""} | target
        server = Postgres(self._folder / name, log=self._folder / f"{name}.log", settings=settings)
        shutil.copytree(self._backup, server.home.cluster)
        (server.home.cluster / "recovery.signal").touch()
        account = server.home.account
        for path in (server.home.cluster, *server.home.cluster.rglob("*"), source, *source.iterdir()):
            os.chown(path, account.uid, account.gid)
        server.home.cluster.chmod(0o700)
        server.start()
        try:
            yield server, began
        finally:
            server.stop()

    async def _verify(self, server: Postgres) -> bool:
        return await audit.verify(self._folder, [], {"TELEMED_DATABASE_URL": server.url()}) == 0

    def _program(self, name: str) -> Path:
        return self._primary.home.program(name)


def _rto(ready: float, verified: float) -> str:
    return f"RTO {ready:.1f} s until it served, {verified:.1f} s until every chain was verified"


def _one(server: Postgres, query: str) -> int:
    with psycopg.connect(databases.urls_on(server.url())["appointment"]) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None, "an aggregate answers one row"  # noqa: S101 - for the type checker
    return int(row[0])


def main() -> int:
    """Runs one drill. Returns 1 when something was lost or a chain did not verify."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10, help="how long is written before the disaster")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="telemed-drill-") as folder:
        Path(folder).chmod(0o711)
        return 0 if asyncio.run(Drill(Path(folder)).run(chosen.seconds)) else 1


if __name__ == "__main__":
    sys.exit(main())
