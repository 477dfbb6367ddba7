"""A whole stack as a person runs it: up, status, down, side by side, killed, continued."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from stack.databases import SERVICES
from stack.probes import call, is_free
from stack.state import State
from tests.fix_postgres import Databases
from tests.fix_stack import ROOT, RunningStack, StartStack, free_ports, is_running, wait_until

pytestmark = pytest.mark.timeout(180)


def telemed(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "stack.cli", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=90)


def require_nothing_left(stack: RunningStack, pids: dict[str, int]) -> None:
    wait_until(lambda: not any(map(is_running, pids.values())), f"the end of {pids}")
    assert all(is_free(stack.port + index) for index in range(4))
    assert State.read(stack.data) is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stack_that_is_told_to_stop_leaves_nothing_behind(number: signal.Signals, start_stack: StartStack) -> None:
    stack = start_stack("--no-demo")
    pids = stack.pids()
    assert set(pids) == {"gateway", "appointment", "doctor", "video", "postgres"}
    assert stack.stop(number) == 0
    require_nothing_left(stack, pids)
    assert "Traceback" not in "".join(log.read_text() for log in (stack.data / "logs").iterdir())


def test_status_tells_of_every_process_and_down_ends_them(start_stack: StartStack) -> None:
    stack = start_stack("--no-demo")
    data = ["--data", str(stack.data)]
    status = telemed("status", *data)
    assert status.returncode == 0, status.stdout
    for name, pid in stack.pids().items():
        line = next(line for line in status.stdout.splitlines() if line.startswith(name))
        assert str(pid) in line.split()
        assert line.endswith("ready")
    pids = stack.pids()
    assert telemed("down", *data).returncode == 0
    assert stack.process.wait(5) == 0
    require_nothing_left(stack, pids)
    assert telemed("status", *data).returncode == 3


def test_psql_opens_the_database_of_a_service(start_stack: StartStack) -> None:
    stack = start_stack("--no-demo")
    asked = telemed("psql", "doctor", "--data", str(stack.data), "--", "-Atc", "SELECT current_database()")
    assert (asked.stdout, asked.stderr) == ("telemed_doctor\n", "")


def test_two_stacks_run_side_by_side_and_end_one_by_one(start_stack: StartStack) -> None:
    one, other = start_stack("--no-demo"), start_stack("--no-demo")
    assert not set(one.pids().values()) & set(other.pids().values())
    assert one.stop() == 0
    assert call(other.port, "GET", "/readyz").status == 200
    assert telemed("status", "--data", str(other.data)).returncode == 0


def test_a_second_up_on_running_data_says_so_and_harms_nothing(start_stack: StartStack) -> None:
    stack = start_stack("--no-demo")
    second = telemed("up", "--data", str(stack.data), "--port", str(stack.port))
    assert second.returncode == 1
    assert second.stderr.startswith(f"telemed: a stack already runs on {stack.data} (pid {stack.process.pid})")
    assert telemed("status", "--data", str(stack.data)).returncode == 0


def test_a_taken_port_is_named(start_stack: StartStack, data_folder: Path) -> None:
    stack = start_stack("--no-demo")
    second = telemed("up", "--data", str(data_folder), "--port", str(stack.port - 3))
    assert second.returncode == 1
    assert f"port {stack.port} (video)" in second.stderr


def test_a_killed_supervisor_takes_everything_with_it_and_the_next_up_continues(start_stack: StartStack) -> None:
    stack = start_stack("--no-demo")
    pids = stack.pids()
    with psycopg.connect(stack.state.database_urls["doctor"], autocommit=True) as connection:
        connection.execute("CREATE TABLE note AS SELECT 'kept' AS text")
    stack.stop(signal.SIGKILL)
    again = start_stack("--no-demo", data=stack.data, port=stack.port)
    assert not any(map(is_running, pids.values()))
    with psycopg.connect(again.state.database_urls["doctor"]) as connection:
        assert connection.execute("SELECT text FROM note").fetchone() == ("kept",)


def test_a_killed_service_and_a_killed_database_come_back_and_nothing_else_ends(start_stack: StartStack) -> None:
    stack = start_stack("--no-demo")
    for name in ("doctor", "postgres"):
        before = stack.pids()[name]
        os.kill(before, signal.SIGKILL)
        wait_until(lambda name=name, before=before: stack.pids().get(name, before) != before, f"{name} again")
        wait_until(lambda: telemed("status", "--data", str(stack.data)).returncode == 0, "all ready again")
    restarts = {name: process.restarts for name, process in stack.state.processes.items()}
    assert restarts == {"appointment": 0, "doctor": 1, "video": 0, "gateway": 0, "postgres": 0}


def test_json_logs_are_shown_on_the_console(start_stack: StartStack) -> None:
    stack = start_stack("--no-demo", "--json-logs")
    wait_until(lambda: '"service":"doctor"' in stack.output.read_text(), "a JSON line of the doctor service")
    # Its end breaks connections off, of which nobody but ourselves may write.
    assert stack.stop() == 0
    for name in SERVICES:
        lines = (stack.data / "logs" / f"{name}.log").read_text().splitlines()
        assert {json.loads(line)["service"] for line in lines} == {name}


def test_a_stack_on_databases_of_its_own_starts_no_postgresql(
    start_stack: StartStack, databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {service: f"test_{service}_{uuid4().hex[:8]}" for service in ("appointment", "doctor", "video")}
    for service, name in names.items():
        monkeypatch.setenv(f"TELEMED_{service.upper()}_DATABASE_URL", databases.url(name))
    stack = start_stack("--no-demo")
    assert set(stack.pids()) == {"gateway", "appointment", "doctor", "video"}
    assert not (stack.data / "postgres").exists()
    assert stack.stop() == 0
    with psycopg.connect(databases.url("postgres"), autocommit=True) as connection:
        for name in names.values():
            connection.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))


def test_a_stack_that_is_told_to_stop_while_it_starts_stops(data_folder: Path) -> None:
    command = [sys.executable, "-m", "stack.cli", "up", "--no-demo", "--data", str(data_folder)]
    with subprocess.Popen([*command, "--port", str(free_ports())], cwd=ROOT, stdout=subprocess.DEVNULL) as supervisor:
        wait_until((data_folder / "logs" / "postgres.log").exists, "the database starts")
        supervisor.terminate()
        assert supervisor.wait(40) == 0
    assert State.read(data_folder) is None
    assert not (data_folder / "postgres" / "cluster" / "postmaster.pid").exists()


def test_the_clock_of_a_stack_starts_where_it_is_told_and_ticks_on(
    start_stack: StartStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TELEMED_NOW", "2026-03-01T00:00:00Z")
    stack = start_stack("--no-demo")
    for name, pid in stack.pids().items():
        environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        told = {entry for entry in environment if entry.startswith(b"TELEMED_NOW=")}
        assert told == (set() if name == "postgres" else {b"TELEMED_NOW=2026-03-01T00:00:00+00:00"})
    assert stack.state.shows == "2026-03-01T00:00:00+00:00"
    assert "clock     started at 2026-03-01T00:00:00Z, ticking on" in stack.output.read_text()
