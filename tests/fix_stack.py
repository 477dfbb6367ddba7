"""Whole stacks for tests: `telemed up` as a person starts it, on ports and a data folder of its own."""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from stack.probes import is_free
from stack.state import State

ROOT = Path(__file__).resolve().parents[1]
_READY_SECONDS = 60.0
_STOP_SECONDS = 40.0


@dataclass(frozen=True, slots=True)
class RunningStack:
    """One `telemed up` that has said that it is ready."""

    data: Path
    port: int
    process: subprocess.Popen[bytes]
    output: Path

    @property
    def state(self) -> State:
        state = State.read(self.data)
        assert state is not None, self.output.read_text()
        return state

    def pids(self) -> dict[str, int]:
        """The process id of every process but the supervisor."""
        return {name: process.pid for name, process in self.state.processes.items() if process.pid is not None}

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal to the supervisor and wait for its end."""
        self.process.send_signal(number)
        return self.process.wait(_STOP_SECONDS)


StartStack = Callable[..., RunningStack]


@pytest.fixture
def start_stack() -> Iterator[StartStack]:
    """Starts stacks; what a test leaves running is ended after it."""
    with ExitStack() as cleanup:

        def start(
            *options: str, data: Path | None = None, port: int | None = None, console: bool = False
        ) -> RunningStack:
            folder = data or _data_folder(cleanup)
            chosen = port or free_ports()
            output = folder / "console.log"
            command = [sys.executable, "-m", "stack.cli", "up", "--data", str(folder), "--port", str(chosen), *options]
            if not console:
                command.append("--no-console")
            with output.open("wb") as terminal:
                process = subprocess.Popen(command, cwd=ROOT, stdout=terminal, stderr=subprocess.STDOUT)
            cleanup.callback(_end, process)
            _wait_until_ready(process, output)
            return RunningStack(folder, chosen, process, output)

        yield start


@pytest.fixture
def data_folder() -> Iterator[Path]:
    """A data folder that the database's account can reach; pytest's own is closed to others."""
    with ExitStack() as cleanup:
        yield _data_folder(cleanup)


def free_ports(count: int = 10) -> int:
    """The first of some ports in a row that are free now; below the range that the kernel gives to clients."""
    while True:
        first = random.randrange(20_000, 32_000, count)  # noqa: S311  no secret
        if all(is_free(first + index) for index in range(count)):
            return first


def is_running(pid: int) -> bool:
    """Whether the process exists and is no zombie, which nobody may have waited for in a container."""
    try:
        return not Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].startswith(" Z")
    except FileNotFoundError:
        return False


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 20.0) -> None:
    """Wait until something outside this process holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.05)


def _data_folder(cleanup: ExitStack) -> Path:
    folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="telemed-tests-")))
    folder.chmod(0o755)
    return folder


def _wait_until_ready(process: subprocess.Popen[bytes], output: Path) -> None:
    wait_until(lambda: b"is ready." in output.read_bytes() or process.poll() is not None, "ready", _READY_SECONDS)
    assert process.poll() is None, output.read_text()


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
