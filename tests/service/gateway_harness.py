"""A real gRPC server with answers of the tests' choice, a token issuer, and the real gateway before them."""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm
from telemed.appointment.v1 import appointment_service_pb2 as pb
from telemed.appointment.v1 import appointment_service_pb2_grpc as pb_grpc

from chassis.keys import FileKeys
from chassis.layers import Authentication, limited_in_time, traced
from chassis.policy import Rule, Scope, policy_of
from chassis.rpc_errors import DetailRenderer, no_details
from chassis.server import build_server
from chassis.tokens import TokenVerifier
from gateway.app import Gateway, Limits
from gateway.cors import Cors
from gateway.http import BodyLimits
from gateway.limits.guard import RateGuard
from gateway.limits.local import LocalBuckets
from gateway.serve import http_server, listener
from gateway.settings import GatewaySettings
from gateway.stream import StreamLimits
from gateway.upstreams import Upstreams
from tests.fix_services import until

SERVICE = pb.DESCRIPTOR.services_by_name["AppointmentService"]
PERSON = "7b1de1b4-8b1c-4c5e-9a52-0c5f8f9b1a11"
PREFIX = "telemed.appointment.v1"
BODY_SECONDS = 0.4
UNCOUNTED = RateGuard(LocalBuckets(), per_address=None, per_user=None)
BODY_BYTES = 64 * 1024


class Issuer:
    """Signs tokens with a key of its own."""

    def __init__(self, key_id: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._key_id = key_id

    def write_keys(self, path: Path) -> Path:
        public = ECAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        path.write_text(json.dumps({"keys": [{**public, "kid": self._key_id, "alg": "ES256"}]}))
        return path

    def token(self, *, lives: float = 300, audience: str = "telemed", role: str = "patient") -> str:
        now = int(time.time())
        claims = {"sub": PERSON, "role": role, "iss": "test", "aud": audience, "iat": now, "exp": now + int(lives)}
        return jwt.encode(claims, self._key, "ES256", {"kid": self._key_id})


@dataclass
class Servicer(pb_grpc.AppointmentServiceServicer):
    """Keeps what it was asked and answers what it was told to: a message, or an exception to raise."""

    answer: Any = None
    takes_seconds: float = 0
    changes: list[pb.WatchChangesResponse | Exception] = field(default_factory=list)
    requests: list[Any] = field(default_factory=list)
    metadata: list[dict[str, str]] = field(default_factory=list)
    streams: int = 0
    gate: asyncio.Event | None = None
    holds_open: bool = False

    def __getattribute__(self, name: str) -> Any:
        if name in SERVICE.methods_by_name and not SERVICE.methods_by_name[name].server_streaming:
            return self._unary
        return super().__getattribute__(name)

    async def _unary(self, request: Any, context: grpc.aio.ServicerContext) -> Any:
        self.requests.append(request)
        self.metadata.append(dict(context.invocation_metadata()))
        await asyncio.sleep(self.takes_seconds)
        if self.gate is not None:
            await self.gate.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def WatchChanges(self, request: Any, _: grpc.aio.ServicerContext) -> AsyncIterator[Any]:
        self.requests.append(request)
        self.streams += 1
        try:
            for change in self.changes:
                if isinstance(change, Exception):
                    raise change
                yield change
            if self.holds_open:
                await asyncio.Event().wait()
        finally:
            self.streams -= 1


@dataclass
class House:
    """Everything that a test talks to."""

    gateway: Gateway
    servicer: Servicer
    issuer: Issuer
    health: Any
    keys: Path
    target: str

    @property
    def log(self) -> Path:
        """What a gateway process has logged."""
        return self.keys.with_name("gateway.log")

    @property
    def auth(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.issuer.token()}"}

    def client(self) -> httpx.AsyncClient:
        """A client that speaks ASGI to the application, without a socket."""
        transport = httpx.ASGITransport(app=self.gateway, raise_app_exceptions=True)
        return httpx.AsyncClient(transport=transport, base_url="http://gateway", headers=self.auth)

    def served(self, **settings: Any) -> AbstractAsyncContextManager[int]:
        """The application behind the real HTTP server; yields its port."""
        return served(self.gateway, **settings)


@asynccontextmanager
async def served(gateway: Gateway, **settings: Any) -> AsyncIterator[int]:
    """An application behind the real HTTP server; yields its port."""
    chosen = {"upstreams": {}, "body_seconds": BODY_SECONDS, "grace_seconds": 2, **settings}
    server = http_server(gateway, GatewaySettings(**chosen))
    listening = listener("127.0.0.1", 0)
    serving = asyncio.create_task(server.serve([listening]))
    await until(lambda: server.started)
    try:
        yield listening.getsockname()[1]
    finally:
        gateway.stopping.set()
        server.should_exit = True
        await serving


@asynccontextmanager
async def open_house(
    tmp_path: Path,
    render: DetailRenderer = no_details,
    rates: RateGuard = UNCOUNTED,
    cors: Cors = Cors(frozenset()),  # noqa: B008 - frozen
    in_flight: int = 2_000,
    *,
    continues_traces: bool = False,
) -> AsyncIterator[House]:
    """A house with one upstream, ready to be called."""
    issuer, servicer = Issuer("good"), Servicer()
    keys = issuer.write_keys(tmp_path / "jwks.json")
    verifier = TokenVerifier(FileKeys(keys), "test", "telemed")
    rule = Rule(Scope.ALL, Scope.ALL, Scope.ALL, Scope.ALL, break_glass=True)
    policy = policy_of(SERVICE.full_name, {method.name: rule for method in SERVICE.methods})
    layers = [traced, limited_in_time, Authentication(verifier, policy)]
    server, health, _ = build_server(layers, services=[SERVICE.full_name], render=render)
    pb_grpc.add_AppointmentServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    health.say(serving=True)
    target = f"127.0.0.1:{port}"
    upstreams = Upstreams({PREFIX: target})
    limits = Limits(
        BodyLimits(BODY_BYTES, BODY_SECONDS),
        StreamLimits(heartbeat_seconds=0.1, longest_seconds=1.0),
        call_seconds=5,
        rates=rates,
        cors=cors,
        in_flight=in_flight,
    )
    gateway = Gateway([SERVICE], upstreams, verifier, limits, continues_traces=continues_traces)
    try:
        yield House(gateway, servicer, issuer, health, keys, target)
    finally:
        await upstreams.close()
        await server.stop(0)


@asynccontextmanager
async def gateway_process(
    house: House, port: int, *, passed_on: tuple[int, ...] = (), **settings: object
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The gateway as a process of its own before the house's services, which logs to `house.log`.

    Settings are variables without GATEWAY_; those in capitals are whole names. It inherits the sockets `passed_on`.
    """
    environment = {
        "PATH": os.environ["PATH"],
        "TELEMED_JWKS_FILE": str(house.keys),
        "TELEMED_TOKEN_ISSUER": "test",
        "GATEWAY_PORT": str(port),
        "GATEWAY_UPSTREAMS": json.dumps({"telemed": house.target}),
        "GATEWAY_DRAIN_SECONDS": "0.3",
        **{name if name.isupper() else f"GATEWAY_{name.upper()}": str(value) for name, value in settings.items()},
    }
    with house.log.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gateway"), env=environment, stderr=log, pass_fds=passed_on
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def ready(client: httpx.AsyncClient) -> None:
    """Waits until the gateway that a client talks to is ready."""
    async with asyncio.timeout(60):
        while True:
            try:
                if (await client.get("/readyz")).status_code == 200:
                    return
            except httpx.ConnectError:
                await asyncio.sleep(0.05)


def refuse_with(*details: Any) -> Callable[[Any], Any]:
    """A renderer that adds the same details to every refusal."""
    return lambda _: details
