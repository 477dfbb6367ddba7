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
# Whom a service calls: the appointment service asks for slots, the other two follow the change feed.
_PEER = {"appointment": "doctor", "doctor": "appointment", "video": "appointment"}
_CHECKOUT = Path(__file__).resolve().parent.parent


class PlanError(Exception):
    """What was asked for cannot be run; the message says why and what would work."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The wishes of whoever starts a stack.

    `port` is the gateway's; the services take the three after it, and the four after those show each process's metrics.
    `shows` is what all clocks show at the real instant
    `shown_at`, or None for real time; both aware.
    """

    data: Path
    port: int
    demo: bool = True
    json_logs: bool = False
    verbose: bool = False
    book: bool = False
    shows: datetime | None = None
    shown_at: datetime | None = None

    def __post_init__(self) -> None:
        after = 2 * len(SERVICES) + 1
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
        """The TCP port of each process, the gateway's first."""
        return {GATEWAY: self.port} | {service: self.port + 1 + index for index, service in enumerate(SERVICES)}

    @property
    def admin_ports(self) -> dict[str, int]:
        """The TCP port of each process's page /metrics, the gateway's first."""
        return {name: port + len(SERVICES) + 1 for name, port in self.ports.items()}

    @property
    def logs(self) -> Path:
        """The folder of one log a process."""
        return self.data / "logs"

    def service_token_file(self, service: str) -> Path:
        """Where the supervisor keeps the token by which a service speaks for itself."""
        return service_token_file(self.data, service)


_LAST_PORT = 65_535


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
    """Every process of a stack, services first."""
    shared = _shared(plan, jwks_file)
    services = [
        _process(plan, service, f"{service}_svc", shared | _service(plan, service, database_urls[service]))
        for service in SERVICES
    ]
    return [*services, _process(plan, GATEWAY, "gateway", shared | _gateway(plan))]


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
    if plan.shows is not None and plan.shown_at is not None:
        shared |= {"TELEMED_NOW": plan.shows.isoformat(), "TELEMED_NOW_AT": plan.shown_at.isoformat()}
    return shared


def _service(plan: Plan, service: str, database_url: str) -> dict[str, str]:
    prefix = service.upper()
    environment = {
        "TELEMED_SERVICE_TOKEN_FILE": str(plan.service_token_file(service).resolve()),
        f"{prefix}_HOST": HOST,
        f"{prefix}_PORT": str(plan.ports[service]),
        f"{prefix}_DATABASE_URL": database_url,
        f"{prefix}_{_PEER[service].upper()}_TARGET": _target(plan, _PEER[service]),
    }
    if service == "video":
        environment |= {
            "VIDEO_PUBLIC_URL": plan.gateway_url,
            "VIDEO_JOIN_KEY_FILE": str((plan.data / "video-join.pem").resolve()),
        }
    return environment


def _gateway(plan: Plan) -> dict[str, str]:
    upstreams = {f"telemed.{service}.v1": _target(plan, service) for service in SERVICES}
    return {
        "GATEWAY_HOST": HOST,
        "GATEWAY_PORT": str(plan.port),
        "GATEWAY_UPSTREAMS": json.dumps(upstreams),
        "GATEWAY_CONTINUE_TRACES": "true",  # who can reach this machine's loopback is no stranger
    }


def _target(plan: Plan, service: str) -> str:
    return f"{HOST}:{plan.ports[service]}"
