"""Runs a whole stack: PostgreSQL, migrations, services, gateway; keeps them alive and stops them in order."""

import asyncio
import os
import signal
import socket
import time
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from typing import Any

from stack import databases
from stack.demo_data import DemoSummary, seed
from stack.issuer import Issuer
from stack.plan import CONSOLE, GATEWAY, HOST, Plan, PlanError, kind_of, processes_of
from stack.postgres import Postgres
from stack.probes import is_free, is_ready
from stack.processes import Child, follow, last_lines
from stack.service_tokens import keep_service_tokens, write_service_tokens
from stack.state import ProcessState, State, running_on
from stack.tasks import Tasks

_READY_SECONDS = 60.0
_STOP_SECONDS = 20.0  # longer than a service's own drain and grace, so that killing is the exception
_LEFT_OVER_SECONDS = 15.0  # after a kill -9 of the supervisor its children have been told to stop, and may still drain
_POLL_SECONDS = 0.1
_POSTGRES_POLL_SECONDS = 0.5
_BACKLOG = 2048
_LEAST_CONNECTIONS = 200
_CONNECTIONS_A_REPLICA = 80  # three pools of sixteen, their listeners, and people who look

Tell = Callable[[str], None]


class StackError(Exception):
    """The stack could not be started; the message names the process and shows the end of its log."""


class Supervisor:
    """One stack, from its first process to its last. Use once."""

    def __init__(self, plan: Plan, environment: Mapping[str, str], tell: Tell) -> None:
        """Nothing starts yet. `tell` hears one line for everything that a person wants to know.

        `demo` tells of the demo clinic once there is one.
        """
        self._plan = plan
        self._tell = tell
        self._urls = databases.urls_from(environment)
        self._issuer = Issuer.of(plan.data)
        self._postgres: Postgres | None = None
        self._children: list[Child] = []
        self._listening: socket.socket | None = None
        self._told_to_stop = asyncio.Event()
        self.demo: DemoSummary | None = None

    async def run(self, when_ready: Callable[["Supervisor"], Coroutine[Any, Any, None]]) -> None:
        """Start everything, run `when_ready`, serve until SIGINT or SIGTERM, stop everything.

        Raises:
            AlreadyRunningError: a stack runs on this data folder.
            PlanError: a port is taken.
            PostgresError, StackError: something did not come up.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._told_to_stop.set)
        async with AsyncExitStack() as stack:
            was_killed = stack.enter_context(running_on(self._plan.data))
            await self._wait_for_ports(_LEFT_OVER_SECONDS if was_killed else 0.0)
            # Held here, so that no connection is refused while a gateway is started again.
            self._listening = stack.enter_context(socket.create_server((HOST, self._plan.port), backlog=_BACKLOG))
            stack.callback(self._stop_postgres)
            await self._prepare_databases()
            if self._plan.demo:
                await self._seed()
            tasks = await stack.enter_async_context(Tasks())
            write_service_tokens(self._issuer, self._plan.data)
            tasks.start(keep_service_tokens(self._issuer, self._plan.data))
            stack.push_async_callback(self._stop_children)
            if await self._start_children(tasks):
                tasks.start(when_ready(self))
                tasks.start(self._keep_postgres_running())
                await tasks.fail_or(self._told_to_stop.wait())
            self._tell("stopping: gateway, services, database")

    @property
    def plan(self) -> Plan:
        """What runs."""
        return self._plan

    @property
    def issuer(self) -> Issuer:
        """Who signs the tokens of this stack."""
        return self._issuer

    @property
    def database_urls(self) -> Mapping[str, str]:
        """The connection string of each service's database; empty before they are prepared."""
        return self._urls or {}

    async def _wait_for_ports(self, patience_seconds: float) -> None:
        deadline = time.monotonic() + patience_seconds
        wanted = self._plan.ports | {f"metrics of {name}": port for name, port in self._plan.admin_ports.items()}
        if self._plan.port not in wanted.values():
            wanted |= {"all gateways": self._plan.port}
        if self._plan.console_port is not None:
            wanted |= {CONSOLE: self._plan.console_port}
        while taken := {name: port for name, port in wanted.items() if not is_free(port)}:
            if time.monotonic() > deadline:
                ports = ", ".join(f"{port} ({name})" for name, port in taken.items())
                raise PlanError(f"in use by another program: port {ports}; choose other ones with --port")
            await asyncio.sleep(_POLL_SECONDS)

    async def _prepare_databases(self) -> None:
        self._plan.logs.mkdir(parents=True, exist_ok=True)
        if self._urls is None:
            self._postgres = Postgres(
                self._plan.data,
                log=self._plan.logs / "postgres.log",
                max_connections=max(_LEAST_CONNECTIONS, _CONNECTIONS_A_REPLICA * self._plan.replicas),
            )
            self._postgres.start()
            self._urls = databases.urls_on(self._postgres.url())
        await databases.prepare(self._urls, self._tell)

    async def _seed(self) -> None:
        self.demo = await seed(self.database_urls, self._plan.clock())
        if self.demo is None:
            self._tell("no demo data: there are doctors already")
        elif self.demo.added_visits:
            made = f"{self.demo.doctors} doctors, {self.demo.patients} patients, {self.demo.added_visits} visits"
            self._tell(f"demo clinic made: {made}")

    def _stop_postgres(self) -> None:
        if self._postgres is not None:
            self._postgres.stop()

    async def _keep_postgres_running(self) -> None:
        while self._postgres is not None:
            await asyncio.sleep(_POSTGRES_POLL_SECONDS)
            if self._postgres.pid is None:
                self._tell("PostgreSQL ended; starting it again")
                self._postgres.stop()
                self._postgres.start()
                self._publish()

    async def _start_children(self, tasks: Tasks) -> bool:
        """Start every process and wait until each is ready. False when told to stop meanwhile."""
        for process in processes_of(self._plan, self.database_urls, self._issuer.jwks_file):
            child = Child(process, self._tell, self._listening if kind_of(process.name) == GATEWAY else None)
            await child.start()
            self._children.append(child)
            if self._plan.verbose or self._plan.json_logs:
                tasks.start(follow(process.log, prefix="" if self._plan.json_logs else f"{process.name:<12}| "))
        self._publish()
        if not await self._are_ready():
            return False
        for child in self._children:
            tasks.start(child.keep_running(self._publish))
        return True

    async def _are_ready(self) -> bool:
        deadline = time.monotonic() + _READY_SECONDS
        for child in self._children:
            while not await is_ready(child.plan.name, child.plan.port):
                self._require_alive()
                if self._told_to_stop.is_set():
                    return False
                if time.monotonic() > deadline:
                    raise StackError(_report(child, f"was not ready within {_READY_SECONDS:.0f} s"))
                await asyncio.sleep(_POLL_SECONDS)
        return not self._told_to_stop.is_set()

    def _require_alive(self) -> None:
        for child in self._children:
            if child.pid is None:
                raise StackError(_report(child, "ended before it was ready"))

    async def _stop_children(self) -> None:
        if self._listening is not None:
            self._listening.close()  # nobody shall wait there for a gateway that does not come again
        kinds = {GATEWAY: 0, CONSOLE: 2}  # the console last of all: it takes the last spans of the others
        for turn in range(3):
            together = [child for child in self._children if kinds.get(kind_of(child.plan.name), 1) == turn]
            await asyncio.gather(*(child.stop(_STOP_SECONDS) for child in together))

    def _publish(self) -> None:
        processes = {
            child.plan.name: ProcessState(child.pid, child.plan.port, str(child.plan.log), child.restarts)
            for child in self._children
        }
        if self._postgres is not None:
            processes["postgres"] = ProcessState(self._postgres.pid, None, str(self._plan.logs / "postgres.log"))
        shows, shown_at = self._plan.shows, self._plan.shown_at
        State(
            pid=os.getpid(),
            url=self._plan.gateway_url,
            database_urls=dict(self.database_urls),
            processes=processes,
            admin_ports=self._plan.admin_ports,
            shows=shows.isoformat() if shows else None,
            shown_at=shown_at.isoformat() if shown_at else None,
        ).write(self._plan.data)


def _report(child: Child, what: str) -> str:
    return f"{child.plan.name} {what}; the end of {child.plan.log}:\n{last_lines(child.plan.log)}"
