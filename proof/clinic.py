"""The clinic under proof: a durable PostgreSQL of its own, several processes of each service, and what kills them."""

import asyncio
import os
import random
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from chassis.clock import moved_clock
from chassis.context import Role
from chassis.sql import Queries
from proof.campaign import CLINIC_OPENS, DAILY_LIMIT, HOLD_SECONDS, Campaign
from proof.server import Server
from stack import databases
from stack.issuer import Issuer, write_file
from stack.plan import HOST, Plan, ProcessPlan, processes_of
from stack.postgres import Postgres
from stack.probes import is_free, is_ready

_READY_SECONDS = 60.0
_POLL_SECONDS = 0.05
_TOKEN_TTL = timedelta(hours=2)
_PORTS = range(20_000, 32_000)  # below those that the kernel gives to clients
_UNUSED_PORT = 1024  # of the gateway, which does not run; every other process is given its own below
_SERVICES = ("appointment", "doctor", "video")
_FAULTS = Queries(Path(__file__).with_name("faults.sql"))


@dataclass(frozen=True, slots=True)
class Sabotage:
    """How the system is broken for one run: SQL for a service's database, and a patch for the processes of one."""

    sql: Mapping[str, str]
    service: str = ""
    patch: str = ""


INTACT = Sabotage({})


class Clinic:
    """The running system. Everything that starts a process does so from the main thread or from one kept for it."""

    def __init__(self, data: Path, logs: Path, campaign: Campaign, sabotage: Sabotage) -> None:
        """`data` is a folder that belongs to this clinic alone; `logs` is a folder for the output of each process."""
        shown_at = datetime.now(UTC)
        plan = Plan(data=data, port=_UNUSED_PORT, demo=False, shows=CLINIC_OPENS, shown_at=shown_at)
        self.plan = plan
        self.logs = logs
        self.issuer = Issuer.of(plan.data)
        self.postgres = Postgres(plan.data, log=logs / "postgres.log")
        self.urls = databases.urls_on(self.postgres.url())
        self._campaign = campaign
        self._sabotage = sabotage
        self._hands = ThreadPoolExecutor(1)  # its thread lives as long as the clinic: see stack.leash
        self._tokens: dict[tuple[Role, str], str] = {}
        self._clock = moved_clock(CLINIC_OPENS, shown_at)
        self.servers: list[Server] = []

    def now(self) -> float:
        """What the clinic's clocks show, in seconds since 1970."""
        return self._clock().timestamp()

    def of_service(self, service: str) -> list[Server]:
        """The processes of one service."""
        return [server for server in self.servers if server.name.startswith(service)]

    def metadata(self, role: Role, subject: str) -> tuple[tuple[str, str], ...]:
        """The gRPC metadata of a caller."""
        token = self._tokens.get((role, subject))
        if token is None:
            token = self.issuer.mint(role, subject, now=datetime.now(UTC), ttl=_TOKEN_TTL)
            self._tokens[role, subject] = token
        return (("authorization", f"Bearer {token}"),)

    async def open(self) -> None:
        """Starts everything and waits until it is ready."""
        await self._by_hand(self.postgres.start)
        await databases.prepare(self.urls, _say_nothing)
        for service, statements in self._sabotage.sql.items():
            async with await psycopg.AsyncConnection.connect(self.urls[service], autocommit=True) as connection:
                await connection.execute(statements.encode())
        self._write_tokens()
        self.servers = self._planned_servers()
        for server in self.servers:
            server.start()
        await self.until_ready()

    async def close(self) -> None:
        """Ends everything at once; what the checks read has been read."""
        for server in self.servers:
            server.kill()
        await self._by_hand(self.postgres.stop)
        self._hands.shutdown()

    async def stop_servers(self) -> None:
        """Lets the servers stop in order, so that nothing is written any more."""
        await asyncio.gather(*(asyncio.to_thread(server.stop) for server in self.servers))

    async def until_ready(self, *, revive: bool = False) -> None:
        """Waits until every process says that it can work; `revive` starts those that end. Raises TimeoutError."""
        deadline = time.monotonic() + _READY_SECONDS
        for server in self.servers:
            while not await is_ready(server.name, server.plan.port):
                if revive:
                    server.start()
                if not server.is_running or time.monotonic() > deadline:
                    raise TimeoutError(f"{server.name} is not ready; see {server.plan.log}")
                await asyncio.sleep(_POLL_SECONDS)

    async def heal(self) -> None:
        """Thaws what is frozen and starts what is dead, the database included."""
        await self._by_hand(self._revive_postgres)
        for server in self.servers:
            server.thaw()
        # One that was told to stop by the nemesis may still be about to end.
        await self.until_ready(revive=True)

    async def kill_postgres(self) -> None:
        """`kill -9` of the postmaster, and a start that recovers from what was written down."""
        if (pid := self.postgres.pid) is not None:
            os.kill(pid, signal.SIGKILL)
        await self._by_hand(self._restart_postgres)

    async def kill_backend(self) -> None:
        """`kill -9` of one busy connection's process: PostgreSQL then resets all of itself."""
        for pid in (await self._ask_postgres("backends"))[:1]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    async def cut_connections(self) -> None:
        """Ends every connection of the services, each in the midst of whatever it does."""
        await self._ask_postgres("cut_connections")

    async def _ask_postgres(self, query: str) -> list[int]:
        """The first column of an answer; nothing while the server is away."""
        url = make_conninfo(self.urls["appointment"], dbname="postgres")
        with suppress(psycopg.OperationalError):
            async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
                cursor = await connection.execute(_FAULTS[query].text.encode())
                return [row[0] for row in await cursor.fetchall()]
        return []

    def _restart_postgres(self) -> None:
        self.postgres.stop()
        self.postgres.start()

    def _revive_postgres(self) -> None:
        if self.postgres.pid is None:
            self._restart_postgres()

    async def _by_hand(self, work: Callable[[], None]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._hands, work)

    def _write_tokens(self) -> None:
        for service in _SERVICES:
            token = self.issuer.mint(Role.SERVICE, f"{service}_svc", now=datetime.now(UTC), ttl=_TOKEN_TTL)
            file = self.plan.service_token_file(service)
            file.parent.mkdir(exist_ok=True)
            write_file(file, token.encode(), mode=0o600)

    def _planned_servers(self) -> list[Server]:
        counts = {
            "appointment": self._campaign.appointment_servers,
            "doctor": self._campaign.doctor_servers,
            "video": 1,
        }
        ports = iter(_free_ports(sum(counts.values())))
        own = {service: [next(ports) for _ in range(count)] for service, count in counts.items()}
        targets = {
            f"{user.upper()}_{peer.upper()}_TARGET": "ipv4:" + ",".join(f"{HOST}:{port}" for port in own[peer])
            for user, peer in (("appointment", "doctor"), ("doctor", "appointment"), ("video", "appointment"))
        }
        plans = {plan.name: plan for plan in processes_of(self.plan, self.urls, self.issuer.jwks_file)}
        return [
            self._server(plans[service], f"{service}-{number}", port, targets)
            for service, ports_of_service in own.items()
            for number, port in enumerate(ports_of_service, start=1)
        ]

    def _server(self, plan: ProcessPlan, name: str, port: int, targets: Mapping[str, str]) -> Server:
        service = plan.name
        environment = {**plan.environment, **targets, **_RULES, f"{service.upper()}_PORT": str(port)}
        mine = replace(plan, name=name, port=port, environment=environment, log=self.logs / f"{name}.log")
        return Server(mine, self._sabotage.patch if service == self._sabotage.service else "")


# Rules under which a run of a minute meets every state: visits that start at once, holds that run out.
_RULES = {
    "MEDICAL_SCHEDULING_MIN_ADVANCE_HOURS": "0",
    "MEDICAL_SCHEDULING_CANCEL_NOTICE_HOURS": "3",
    "MEDICAL_SCHEDULING_RESCHEDULE_NOTICE_HOURS": "3",
    "MEDICAL_SCHEDULING_DAILY_LIMIT": str(DAILY_LIMIT),
    "HOLD_TTL_SECONDS": str(HOLD_SECONDS),
    "NO_SHOW_AFTER_MINUTES": "0.1",
    "TELEMED_LOG_LEVEL": "WARNING",
    "TELEMED_ADMIN_PORT": "0",
}


@contextmanager
def _data_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="telemed-proof-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # the account that PostgreSQL runs under must be able to enter
        yield folder


@asynccontextmanager
async def open_clinic(campaign: Campaign, logs: Path, sabotage: Sabotage = INTACT) -> AsyncIterator[Clinic]:
    """A clinic for one run; its data is gone with the block, its logs stay."""
    with _data_folder() as data:
        clinic = Clinic(data, logs, campaign, sabotage)
        try:
            await clinic.open()
            yield clinic
        finally:
            await clinic.close()


def _free_ports(count: int) -> range:
    while True:
        first = random.randrange(_PORTS.start, _PORTS.stop, count)
        if all(is_free(first + index) for index in range(count)):
            return range(first, first + count)


def _say_nothing(_: str) -> None:
    """A run prints its verdict alone."""
