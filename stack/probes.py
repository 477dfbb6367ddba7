"""Whether a process is ready: gRPC health of a service, a path of those that speak HTTP, and that plain HTTP itself."""

import asyncio
import http.client
import json
import socket
from dataclasses import dataclass
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from stack.plan import CONSOLE, GATEWAY, HOST, kind_of
from stack.tls import channel_to

_PROBE_SECONDS = 1.0
_CALL_SECONDS = 20.0
# Where those say whether they are ready that speak HTTP.
_OVER_HTTP = {GATEWAY: "/readyz", CONSOLE: "/ops/api/store"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What an HTTP call answered; `body` is the parsed JSON, or the text when it is none."""

    status: int
    body: Any


def call(
    port: int,
    method: str,
    path: str,
    *,
    token: str = "",
    body: object = None,
    idempotency_key: str = "",
    timeout_seconds: float = _CALL_SECONDS,
) -> Answer:
    """One HTTP call to the gateway on this machine. Raises OSError when nobody answers in time."""
    headers = {"accept": "application/json"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    if idempotency_key:
        headers["idempotency-key"] = idempotency_key
    content = None
    if body is not None:
        headers["content-type"] = "application/json"
        content = json.dumps(body).encode()
    connection = http.client.HTTPConnection(HOST, port, timeout=timeout_seconds)
    try:
        connection.request(method, path, body=content, headers=headers)
        response = connection.getresponse()
        return Answer(response.status, _parsed(response.read()))
    except http.client.HTTPException as error:  # it answered something that is not HTTP, or nothing
        raise ConnectionError(f"port {port} does not speak HTTP: {error}") from error
    finally:
        connection.close()


async def is_ready(name: str, port: int) -> bool:
    """Whether the process says, within a second, that it can do its work. Raises TlsConfigurationError."""
    if (kind := kind_of(name)) in _OVER_HTTP:
        return await asyncio.to_thread(_says_ok, port, _OVER_HTTP[kind])
    async with channel_to(port) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        try:
            answer = await health.Check(health_pb2.HealthCheckRequest(), timeout=_PROBE_SECONDS)
        except grpc.aio.AioRpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def is_free(port: int) -> bool:
    """Whether a process of ours could listen on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _says_ok(port: int, path: str) -> bool:
    try:
        return call(port, "GET", path, timeout_seconds=_PROBE_SECONDS).status == http.client.OK
    except OSError:
        return False


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return content.decode(errors="replace")
