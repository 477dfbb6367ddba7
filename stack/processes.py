"""One child process kept alive: started on a leash, started again when it crashes, stopped politely and then firmly."""

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

from stack.leash import leashed
from stack.plan import ProcessPlan, kind_of

_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 10.0
_STEADY_SECONDS = 30.0  # a child that lived so long is not in a crash loop
_FOLLOW_SECONDS = 0.2


class Child:
    """One process of the plan. Its output goes to its log by itself, so that it never waits for us.

    It may be given a socket that `listening` holds: connections wait there while it is started again, and several
    processes may take from it.
    """

    def __init__(self, plan: ProcessPlan, tell: Callable[[str], None], listening: socket.socket | None = None) -> None:
        self.plan = plan
        self._listening = listening
        self.restarts = 0
        self._tell = tell
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = asyncio.Event()
        self._changing = asyncio.Lock()  # so that a stop never overlooks the child that is just being started

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    async def start(self) -> None:
        """Start it, unless it was stopped; from the main thread, whose end is what the leash waits for."""
        command = leashed([sys.executable, "-m", self.plan.module], on_parent_death=signal.SIGTERM)
        environment = os.environ | dict(self.plan.environment)
        passed: tuple[int, ...] = ()
        if self._listening is not None:
            passed = (self._listening.fileno(),)
            environment[f"{kind_of(self.plan.name).upper()}_LISTEN_FD"] = str(passed[0])
        async with self._changing:
            if self._stopping.is_set():
                return
            with self.plan.log.open("ab") as log:
                self._process = await asyncio.create_subprocess_exec(
                    *command,
                    env=environment,
                    pass_fds=passed,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,  # a Ctrl-C at the terminal is for the supervisor alone
                )

    async def ended(self) -> int:
        """Wait until it ends and answer its exit code, negative for a signal."""
        return await self._process.wait() if self._process is not None else 0

    async def keep_running(self, changed: Callable[[], None]) -> None:
        """Start it again whenever it ends, with longer and longer pauses, until `stop`; `changed` hears of new pids."""
        pause = _FIRST_PAUSE_SECONDS
        while True:
            began = time.monotonic()
            code = await self.ended()
            if self._stopping.is_set():
                return
            if code == 0 or time.monotonic() - began > _STEADY_SECONDS:
                pause = _FIRST_PAUSE_SECONDS  # it was asked to end, or is not in a crash loop
            self._tell(f"{self.plan.name} ended with {code}; starting it again in {pause:.1f} s (see {self.plan.log})")
            if await self._is_stopped_within(pause):
                return
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS) if code else pause
            self.restarts += 1
            await self.start()
            changed()

    async def stop(self, patience_seconds: float) -> None:
        """Ask it to stop, and end it when it has not within `patience_seconds`. It is not started again."""
        self._stopping.set()
        async with self._changing:
            process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(patience_seconds):
                await process.wait()
        except TimeoutError:
            self._tell(f"{self.plan.name} did not stop within {patience_seconds:g} s and was ended")
            process.kill()
            await process.wait()

    async def _is_stopped_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await self._stopping.wait()
        except TimeoutError:
            return False


async def follow(log: Path, *, prefix: str) -> None:
    """Print every whole line that is added to a log from now on, for ever."""
    with log.open("rb") as file:
        file.seek(0, os.SEEK_END)
        rest = b""
        while True:
            *lines, rest = (rest + file.read()).split(b"\n")
            for line in lines:
                print(prefix + line.decode(errors="replace"), flush=True)
            await asyncio.sleep(_FOLLOW_SECONDS)


def last_lines(log: Path, count: int = 15) -> str:
    """The end of a log, for a message about a process that did not come up."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return "\n".join(f"  {line}" for line in lines[-count:])
