"""Several replicas of everything: balanced, started again when they die, and restarted without a failed call."""

import os
import signal
import subprocess
import sys

import pytest

from bench.rolling_restart import restart_all
from bench.running import running_stack
from stack.probes import call, is_free
from stack.state import State
from tests.fix_stack import ROOT, StartStack, free_ports, is_running, wait_until

pytestmark = pytest.mark.timeout(300)
REPLICAS = {f"{kind}{number}" for kind in ("gateway", "appointment", "doctor", "video") for number in ("", "-2")}


def is_well(stack_data: str) -> bool:
    command = [sys.executable, "-m", "stack.cli", "status", "--data", stack_data]
    return subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=60).returncode == 0


def test_a_dead_replica_is_started_again_and_nothing_is_left_in_the_end(start_stack: StartStack) -> None:
    stack = start_stack("--no-demo", "--replicas", "2", port=free_ports(20))
    before = stack.pids()
    assert set(before) == REPLICAS | {"postgres"}
    assert is_well(str(stack.data))
    for name in ("doctor-2", "gateway"):
        os.kill(before[name], signal.SIGKILL)
    wait_until(
        lambda: all(stack.pids().get(name, before[name]) != before[name] for name in ("doctor-2", "gateway")),
        "new ones",
    )
    assert call(stack.port, "GET", "/healthz").status == 200, "connections wait where nobody listens for a moment"
    wait_until(lambda: is_well(str(stack.data)), "all are ready again", 60)
    assert {name for name, process in stack.state.processes.items() if process.restarts} == {"doctor-2", "gateway"}
    pids = stack.pids()
    assert stack.stop() == 0
    wait_until(lambda: not any(map(is_running, pids.values())), f"the end of {pids}")
    assert all(is_free(stack.port + index) for index in range(20))
    assert State.read(stack.data) is None


async def test_no_call_fails_while_processes_are_restarted_and_none_is_repeated() -> None:
    async with running_stack(2) as running:
        asked = await restart_all(
            running, 1, signal.SIGTERM, ["appointment-2", "doctor", "gateway"], clients=4, pause_seconds=0.05
        )
        assert asked.tally.failed == []
        assert (asked.missing, asked.watching.faults) == (0, [])
        assert len(asked.tally.outcomes) > 100, "hardly anything was called"
        killed = await restart_all(running, 1, signal.SIGKILL, ["appointment", "gateway-2"], clients=4)
        assert killed.tally.failed == [], "clients that retry UNAVAILABLE see nothing of a killed replica"
        assert (killed.missing, killed.watching.faults) == (0, [])
