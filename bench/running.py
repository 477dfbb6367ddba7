"""A whole stack as a person starts it, `telemed up` with replicas and doctors, for loads that torment it."""

import asyncio
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from uuid import uuid4

from bench import doctors
from chassis.context import Role
from stack.issuer import Issuer
from stack.plan import HOST, kind_of
from stack.probes import is_free, is_ready
from stack.state import State

Metadata = tuple[tuple[str, str], ...]

# Far enough away that nothing is in the way of cancelling.
_FIRST_SLOT = 5 * doctors.SLOTS_A_DAY * doctors.DOCTORS
_READY_SECONDS = 120.0
_STOP_SECONDS = 60.0
_POLL_SECONDS = 0.05
_PORTS = range(20_000, 32_000)  # below those that the kernel gives to clients
_PORTS_A_REPLICA = 10
_TOKEN_TTL = timedelta(hours=3)
# Who counts requests would count all of a load as one user's.
_NOBODY_COUNTS = {"GATEWAY_USER_BURST": "0", "GATEWAY_ADDRESS_BURST": "0", "TELEMED_LOG_LEVEL": "WARNING"}


@dataclass(frozen=True, slots=True)
class Running:
    """A stack that is ready; `process` is its supervisor."""

    data: Path
    port: int
    process: asyncio.subprocess.Process
    slots: Iterator[int] = field(default_factory=lambda: count(_FIRST_SLOT))  # bench.doctors.slot, each once

    @property
    def state(self) -> State:
        """What the stack tells of itself now. Raises RuntimeError when it has ended."""
        state = State.read(self.data)
        if state is None:
            raise RuntimeError(f"the stack has ended: {(self.data / 'console.log').read_text()[-2000:]}")
        return state

    def pids(self) -> dict[str, int]:
        """The process id of every process but the supervisor."""
        return {name: process.pid for name, process in self.state.processes.items() if process.pid is not None}

    def target(self, service: str) -> str:
        """All replicas of a service, as a gRPC target."""
        ports = [one.port for name, one in self.state.processes.items() if kind_of(name) == service]
        return f"ipv4:{','.join(f'{HOST}:{port}' for port in ports)}"

    def token(self) -> str:
        """A token of some new administrator, who may book for everybody."""
        return Issuer.of(self.data).mint(Role.ADMIN, str(uuid4()), now=datetime.now(UTC), ttl=_TOKEN_TTL)

    async def until_ready(self, name: str) -> None:
        """Waits until one process says that it can do its work."""
        await until(lambda: self._says_ready(name), f"{name} is ready")

    async def until_all_ready(self) -> None:
        """Waits until every process says that it can do its work."""
        await asyncio.gather(*(self.until_ready(name) for name, one in self.state.processes.items() if one.port))

    async def _says_ready(self, name: str) -> bool:
        process = self.state.processes[name]
        return process.port is not None and await is_ready(name, process.port)

    async def end(self, name: str, how: signal.Signals) -> None:
        """Sends a signal that ends a process, and waits until its successor is ready."""
        before = self.pids()[name]
        os.kill(before, how)

        async def is_another() -> bool:
            return self.pids().get(name, before) != before

        await until(is_another, f"{name} was started again")
        await self.until_ready(name)


async def until(holds: Callable[[], Awaitable[bool]], what: str, seconds: float = _READY_SECONDS) -> None:
    """Waits until something outside of this process holds. Raises TimeoutError when it does not."""
    deadline = time.monotonic() + seconds
    while not await holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:g} s: {what}")
        await asyncio.sleep(_POLL_SECONDS)


@asynccontextmanager
async def running_stack(replicas: int, environment: Mapping[str, str] | None = None) -> AsyncIterator[Running]:
    """Starts a stack with bench.doctors, empty diaries and so many replicas; gone with the block."""
    with _data_folder() as data:
        port = _free_ports(replicas)
        command = ["up", "--no-demo", "--data", str(data), "--port", str(port), "--replicas", str(replicas)]
        with (data / "console.log").open("wb") as console:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "stack.cli", *command),
                env=os.environ | _NOBODY_COUNTS | dict(environment or {}),
                stdout=console,
                stderr=console,
            )
        try:
            await _until_up(process, data)
            running = Running(data, port, process)
            await doctors.add_doctors(running.state.database_urls["doctor"])
            yield running
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
                await asyncio.wait_for(process.wait(), _STOP_SECONDS)


@contextmanager
def _data_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="telemed-bench-") as folder:
        data = Path(folder)
        data.chmod(0o755)  # the account that PostgreSQL runs under must be able to enter
        yield data


async def _until_up(process: asyncio.subprocess.Process, data: Path) -> None:
    async def said_so() -> bool:
        if process.returncode is not None:
            raise RuntimeError((data / "console.log").read_text())
        return "is ready." in (data / "console.log").read_text()

    await until(said_so, "the stack is ready")


def _free_ports(replicas: int) -> int:
    wanted = _PORTS_A_REPLICA * replicas
    while True:
        first = random.randrange(_PORTS.start, _PORTS.stop, wanted)  # noqa: S311  no secret
        if all(is_free(first + index) for index in range(wanted)):
            return first
