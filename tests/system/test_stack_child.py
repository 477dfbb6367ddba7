"""One supervised process: started again when it crashes, ended when it will not stop, never an orphan."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from stack.plan import ProcessPlan
from stack.processes import Child, follow, last_lines
from tests.fix_stack import ROOT, is_running, wait_until

MakeChild = Callable[[str], Child]


@pytest.fixture
def said() -> list[str]:
    """What the children told a person."""
    return []


@pytest.fixture
def make_child(tmp_path: Path, said: list[str]) -> MakeChild:
    """Makes a child that runs a text of Python."""

    def make(program: str) -> Child:
        (tmp_path / "program.py").write_text(program)
        plan = ProcessPlan("demo", "program", 0, {"PYTHONPATH": str(tmp_path)}, tmp_path / "demo.log")
        return Child(plan, said.append)

    return make


async def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  what is waited for happens in another process
            await asyncio.sleep(0.02)


async def test_a_crashed_child_is_started_again_and_its_new_pid_is_told(make_child: MakeChild, said: list[str]) -> None:
    child = make_child("import time; print('up', flush=True); time.sleep(60)")
    await child.start()
    first = child.pid
    assert first is not None
    pids: list[int | None] = []
    keeping = asyncio.create_task(child.keep_running(lambda: pids.append(child.pid)))
    os.kill(first, signal.SIGKILL)
    await until(lambda: bool(pids))
    assert child.restarts == 1
    assert pids[0] not in (None, first)
    assert said[0].startswith("demo ended with -9; starting it again in 0.2 s")
    await child.stop(5.0)
    await keeping
    assert child.pid is None


async def test_a_child_that_crashes_again_and_again_is_given_longer_pauses(
    make_child: MakeChild, said: list[str]
) -> None:
    child = make_child("raise SystemExit(3)")
    await child.start()
    keeping = asyncio.create_task(child.keep_running(lambda: None))
    await until(lambda: len(said) >= 3)
    await child.stop(5.0)
    await keeping
    assert [line.partition(" in ")[2][:5] for line in said[:3]] == ["0.2 s", "0.4 s", "0.8 s"]


async def test_a_child_that_ignores_the_polite_request_is_ended(
    make_child: MakeChild, said: list[str], tmp_path: Path
) -> None:
    child = make_child(
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    )
    await child.start()
    await until(lambda: "deaf" in last_lines(tmp_path / "demo.log"))
    began = time.monotonic()
    await child.stop(0.3)
    assert 0.3 <= time.monotonic() - began < 3.0
    assert await child.ended() == -signal.SIGKILL
    assert said == ["demo did not stop within 0.3 s and was ended"]


async def test_a_stopped_child_is_not_started_again(make_child: MakeChild, said: list[str]) -> None:
    child = make_child("import time; time.sleep(60)")
    await child.start()
    await child.stop(5.0)
    await child.start()
    assert child.pid is None
    assert said == []


async def test_lines_added_to_a_log_are_followed_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "demo.log"
    log.write_text("before\n")
    following = asyncio.create_task(follow(log, prefix="demo| "))
    await asyncio.sleep(0.1)
    with log.open("a") as file:
        file.write("first\nsec")
        file.flush()
        await asyncio.sleep(0.5)
        file.write("ond\n")
        file.flush()
        await asyncio.sleep(0.5)
    following.cancel()
    with suppress(asyncio.CancelledError):
        await following
    assert capsys.readouterr().out == "demo| first\ndemo| second\n"


def test_a_process_on_the_leash_ends_with_whoever_started_it() -> None:
    program = (
        "import signal, subprocess, time; from stack.leash import leashed\n"
        "child = subprocess.Popen(leashed(['/bin/sleep', '60'], on_parent_death=signal.SIGTERM))\n"
        "print(child.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        wait_until(lambda: Path(f"/proc/{pid}/comm").read_text() == "sleep\n", "the leash has become the program")
        starter.kill()
    wait_until(lambda: not is_running(pid), "the end of the child")
