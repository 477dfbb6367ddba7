"""What runs in one stack: which processes, on which ports, with which environment. Nothing here starts anything."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from chassis.clock import Clock, clock_from
from stack.databases import SERVICES
from stack.service_tokens import service_token_file

HOST = "127.0.0.1"
GATEWAY = "gateway"
CONSOLE = "console"
# Whom a service calls: the appointment service asks for slots, the other two follow the change feed.
_PEER = {"appointment": "doctor", "doctor": "appointment", "video": "appointment"}
# From the ports of one replica to those of the next; the first nine after the gateway's are the first replica's.
_STRIDE = 10
_OWN_PORT = 9
_CHECKOUT = Path(__file__).resolve().parent.parent


class PlanError(Exception):
    """What was asked for cannot be run; the message says why and what would work."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The wishes of whoever starts a stack.

    `port` is the gateway's; the services take the three after it, the four after those show each process's metrics, and
    the next is the console's. Of more `replicas` than one, each further one has its ports ten higher, and all gateways
    share `port`: each has one more, the ninth after it, where it answers alone. Traces go to `traces_to`, an OTLP/HTTP
    address; empty means to the console. `shows` is what all clocks show at the real instant `shown_at`, or None for
    real time; both aware.
    """

    data: Path
    port: int
    demo: bool = True
    json_logs: bool = False
    verbose: bool = False
    book: bool = False
    replicas: int = 1
    console: bool = True
    traces_to: str = ""
    shows: datetime | None = None
    shown_at: datetime | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.replicas <= _MOST_REPLICAS:
            raise PlanError(f"--replicas {self.replicas}: 1 to {_MOST_REPLICAS} of each process")
        after = _CONSOLE_PLACE if self.replicas == 1 else _STRIDE * self.replicas - 1
        if not 1 <= self.port <= _LAST_PORT - after:
            raise PlanError(f"--port {self.port}: this port and the {after} after it must be 1 to {_LAST_PORT}")

    @property
    def clock(self) -> Clock:
        """What all processes of the stack take for the time."""
        return clock_from(self.shows, self.shown_at)

    @property
    def gateway_url(self) -> str:
        """Where browsers go."""
        return f"http://localhost:{self.port}"

    @property
    def ports(self) -> dict[str, int]:
        """The TCP port of each process, the gateways' first."""
        own = 0 if self.replicas == 1 else _OWN_PORT
        places = {GATEWAY: own} | {service: 1 + index for index, service in enumerate(SERVICES)}
        return {
            replica_name(kind, number): self.port + _STRIDE * (number - 1) + place
            for kind, place in places.items()
            for number in range(1, self.replicas + 1)
        }

    @property
    def admin_ports(self) -> dict[str, int]:
        """The TCP port of each process's page /metrics, the gateways' first."""
        first = self.port + len(SERVICES) + 1
        return {
            replica_name(kind, number): first + _STRIDE * (number - 1) + index
            for index, kind in enumerate((GATEWAY, *SERVICES))
            for number in range(1, self.replicas + 1)
        }

    @property
    def console_port(self) -> int | None:
        """The TCP port of the console, which only a demo has."""
        return self.port + _CONSOLE_PLACE if self.demo and self.console else None

    @property
    def logs(self) -> Path:
        """The folder of one log a process."""
        return self.data / "logs"

    def service_token_file(self, service: str) -> Path:
        """Where the supervisor keeps the token by which a service speaks for itself."""
        return service_token_file(self.data, service)


_LAST_PORT = 65_535
_CONSOLE_PLACE = 8
_MOST_REPLICAS = 9


def replica_name(kind: str, number: int) -> str:
    """What a replica is called, counted from 1: the first by its kind alone."""
    return kind if number == 1 else f"{kind}-{number}"


def kind_of(name: str) -> str:
    """The service that a process is a replica of, or `gateway`."""
    return name.partition("-")[0]


@dataclass(frozen=True, slots=True)
class ProcessPlan:
    """One process to keep running: `python -m module` with these variables on top of the caller's own."""

    name: str
    module: str
    port: int
    environment: Mapping[str, str]
    log: Path


def default_data_folder() -> Path:
    """`.data` in the checkout, or below the working folder when the project is installed without one."""
    root = _CHECKOUT if (_CHECKOUT / "pyproject.toml").exists() else Path.cwd()
    return root / ".data"


def processes_of(plan: Plan, database_urls: Mapping[str, str], jwks_file: Path) -> list[ProcessPlan]:
    """Every process of a stack: the console first, which receives the traces of the others, and the gateway last."""
    shared = _shared(plan, jwks_file)
    processes = [
        _process(plan, name, f"{service}_svc", shared | _service(plan, name, database_urls[service]))
        for service in SERVICES
        for name in _replicas(plan, service)
    ]
    gateways = [_process(plan, name, "gateway", shared | _gateway(plan, name)) for name in _replicas(plan, GATEWAY)]
    return [*_console(plan), *processes, *gateways]


def _replicas(plan: Plan, kind: str) -> list[str]:
    return [replica_name(kind, number) for number in range(1, plan.replicas + 1)]


def _console(plan: Plan) -> list[ProcessPlan]:
    if plan.console_port is None:
        return []
    environment = {
        "PYTHONUNBUFFERED": "1",
        "CONSOLE_PORT": str(plan.console_port),
        "CONSOLE_DATA": str(plan.data.resolve()),
        "CONSOLE_RECEIVES": str(not plan.traces_to).lower(),
    }
    return [ProcessPlan(CONSOLE, "stack.console", plan.console_port, environment, plan.logs / f"{CONSOLE}.log")]


def _process(plan: Plan, name: str, module: str, environment: dict[str, str]) -> ProcessPlan:
    environment["TELEMED_ADMIN_PORT"] = str(plan.admin_ports[name])
    return ProcessPlan(name, module, plan.ports[name], environment, plan.logs / f"{name}.log")


def _shared(plan: Plan, jwks_file: Path) -> dict[str, str]:
    shared = {
        "PYTHONUNBUFFERED": "1",
        "TELEMED_DEMO": "true",
        "TELEMED_JWKS_FILE": str(jwks_file.resolve()),
        "TELEMED_LOG_JSON": str(plan.json_logs).lower(),
    }
    if plan.console_port is not None and not plan.traces_to:
        shared["OTEL_EXPORTER_OTLP_ENDPOINT"] = f"http://{HOST}:{plan.console_port}"
    if plan.shows is not None and plan.shown_at is not None:
        shared |= {"TELEMED_NOW": plan.shows.isoformat(), "TELEMED_NOW_AT": plan.shown_at.isoformat()}
    return shared


def _service(plan: Plan, name: str, database_url: str) -> dict[str, str]:
    service = kind_of(name)
    prefix = service.upper()
    environment = {
        "TELEMED_SERVICE_TOKEN_FILE": str(plan.service_token_file(service).resolve()),
        f"{prefix}_HOST": HOST,
        f"{prefix}_PORT": str(plan.ports[name]),
        f"{prefix}_DATABASE_URL": database_url,
        f"{prefix}_{_PEER[service].upper()}_TARGET": _target(plan, _PEER[service]),
    }
    if service == "video":
        environment |= {
            "VIDEO_PUBLIC_URL": plan.gateway_url,
            "VIDEO_JOIN_KEY_FILE": str((plan.data / "video-join.pem").resolve()),
        }
    return environment


def _gateway(plan: Plan, name: str) -> dict[str, str]:
    upstreams = {f"telemed.{service}.v1": _target(plan, service) for service in SERVICES}
    environment = {
        "GATEWAY_HOST": HOST,
        "GATEWAY_PORT": str(plan.ports[name]),
        "GATEWAY_UPSTREAMS": json.dumps(upstreams),
        "GATEWAY_CONTINUE_TRACES": "true",  # who can reach this machine's loopback is no stranger
    }
    if plan.console_port is not None:
        environment["GATEWAY_OPS_URL"] = f"http://localhost:{plan.console_port}/ops/"
    return environment


def _target(plan: Plan, service: str) -> str:
    """The gRPC target of a service; several addresses are balanced round-robin by whoever calls."""
    places = [f"{HOST}:{plan.ports[name]}" for name in _replicas(plan, service)]
    return places[0] if len(places) == 1 else f"ipv4:{','.join(places)}"
