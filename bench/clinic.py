"""A clinic for a benchmark: a durable PostgreSQL of its own, real service processes, and tokens to call them with."""

import asyncio
import random
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from chassis.context import Role
from stack import databases
from stack.issuer import Issuer, write_file
from stack.plan import HOST, Plan, ProcessPlan, processes_of
from stack.postgres import Postgres
from stack.probes import is_free, is_ready
from stack.processes import Child, last_lines

Metadata = tuple[tuple[str, str], ...]

_READY_SECONDS = 120.0
_STOP_SECONDS = 15.0
_POLL_SECONDS = 0.05
# What is done beside the calls now and then would fall into one round and not into the next.
# Nothing that comes by the clock, and nobody who counts requests.
_QUIET = {"AVAILABILITY_SUMMARY_REFRESH_SECONDS": "0", "GATEWAY_USER_BURST": "0", "GATEWAY_ADDRESS_BURST": "0"}
# A closed loop measures what can be done; nobody is turned away.
_QUIET |= {f"{name}_LEAST_IN_FLIGHT": "1000" for name in ("APPOINTMENT", "DOCTOR", "VIDEO", "GATEWAY")}
_TOKEN_TTL = timedelta(hours=1)
_PORTS = range(20_000, 32_000)  # below those that the kernel gives to clients
_PORTS_OF_STACK = 8
_PORTS_NEEDED = _PORTS_OF_STACK + 3  # and those of the benchmark's own processes


@dataclass(frozen=True, slots=True)
class Clinic:
    """What runs; `urls` are the databases of the services."""

    plan: Plan
    issuer: Issuer
    postgres: Postgres
    urls: Mapping[str, str]

    def spare_port(self, number: int = 0) -> int:
        """One of three ports, 0 to 2, that nothing of the stack listens on."""
        return self.plan.port + _PORTS_OF_STACK + number

    def target(self, process: str) -> str:
        """Where a process listens."""
        return f"{HOST}:{self.plan.ports[process]}"

    def postgres_pid(self) -> dict[str, int]:
        """PostgreSQL's process by its name, for bench.cpu."""
        pid = self.postgres.pid
        return {} if pid is None else {"postgres": pid}

    def token(self) -> str:
        """A token of some new administrator, who may book for everybody."""
        return self.issuer.mint(Role.ADMIN, str(uuid4()), now=datetime.now(UTC), ttl=_TOKEN_TTL)

    def metadata(self) -> Metadata:
        """The gRPC metadata of some new administrator's calls."""
        return (("authorization", f"Bearer {self.token()}"),)

    def another_doctor_service(self, name: str, port: int, environment: Mapping[str, str]) -> ProcessPlan:
        """A second doctor service, the same but for some of its variables."""
        return self.another_service("doctor", name, port, environment)

    def another_service(self, service: str, name: str, port: int, environment: Mapping[str, str]) -> ProcessPlan:
        """A second process of a service, the same but for some of its variables."""
        plan = self.plan_of(service)
        own = {key: value for key, value in plan.environment.items() if key != "TELEMED_ADMIN_PORT"}
        own |= {f"{service.upper()}_PORT": str(port), **environment}
        return replace(plan, name=name, port=port, environment=own, log=self.plan.logs / f"{name}.log")

    def plan_of(self, name: str) -> ProcessPlan:
        """How one of the stack's processes is run here."""
        return next(plan for plan in self._plans() if plan.name == name)

    def _plans(self) -> list[ProcessPlan]:
        plans = processes_of(self.plan, self.urls, self.issuer.jwks_file)
        return [replace(plan, environment={**plan.environment, **_QUIET}) for plan in plans]

    @asynccontextmanager
    async def running(self, names: Sequence[str], *more: ProcessPlan) -> AsyncIterator[dict[str, int]]:
        """Runs these processes of the stack, and `more` of the benchmark's own, until the block ends.

        Tells the process id of each by name.
        """
        wanted = [*(plan for plan in self._plans() if plan.name in names), *more]
        children = [Child(plan, print) for plan in wanted]
        async with AsyncExitStack() as stack:
            for child in children:
                await child.start()
                stack.push_async_callback(child.stop, _STOP_SECONDS)
            for plan in wanted:
                await _until_ready(plan)
            yield {child.plan.name: child.pid for child in children if child.pid is not None}


@contextmanager
def durable_postgres() -> Iterator[tuple[Path, Postgres]]:
    """A data folder among the temporary files, and a new cluster in it with fsync on; both gone with the block."""
    with tempfile.TemporaryDirectory(prefix="telemed-bench-") as folder:
        data = Path(folder)
        data.chmod(0o755)  # the account that PostgreSQL runs under must be able to enter
        with Postgres(data, log=data / "postgres.log") as postgres:
            yield data, postgres


@asynccontextmanager
async def open_clinic() -> AsyncIterator[Clinic]:
    """Databases, migrated and empty, and an issuer; the processes are started by `running`."""
    with durable_postgres() as (data, postgres):
        plan = Plan(data=data, port=free_ports(), demo=False)
        plan.logs.mkdir()
        urls = databases.urls_on(postgres.url())
        await databases.prepare(urls, _say_nothing)
        issuer = Issuer.of(plan.data)
        for service in databases.SERVICES:
            token = issuer.mint(Role.SERVICE, f"{service}_svc", now=datetime.now(UTC), ttl=_TOKEN_TTL)
            file = plan.service_token_file(service)
            file.parent.mkdir(exist_ok=True)
            write_file(file, token.encode(), mode=0o600)
        yield Clinic(plan, issuer, postgres, urls)


async def _until_ready(plan: ProcessPlan) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while not await is_ready(plan.name, plan.port):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{plan.name} was not ready within {_READY_SECONDS:g} s:\n{last_lines(plan.log)}")
        await asyncio.sleep(_POLL_SECONDS)


def free_ports() -> int:
    """The first of as many ports in a row as a clinic needs, on none of which anything listens."""
    while True:
        first = random.randrange(_PORTS.start, _PORTS.stop, _PORTS_NEEDED)  # noqa: S311  no secret
        if all(is_free(first + index) for index in range(_PORTS_NEEDED)):
            return first


def _say_nothing(_: str) -> None:
    """Heard by nobody: a benchmark prints figures."""
