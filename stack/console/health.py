"""How the processes of the stack are: what each says of its health, and some of its numbers."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import grpc
import httpx
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client.parser import text_string_to_metric_families

from stack.plan import CONSOLE, GATEWAY, HOST
from stack.state import ProcessState, State
from stack.tls import TlsConfigurationError, channel_to

_SECONDS = 3.0
_MEMORY = "process_resident_memory_bytes"
_LAG = "telemed_feed_lag_changes"
Json = dict[str, object]


async def health_of(data: Path) -> Json:
    """Every process of the stack that runs on `data`; each is asked for no longer than three seconds."""
    state = State.read(data)
    if state is None:
        return {"url": "", "processes": []}
    async with httpx.AsyncClient(timeout=_SECONDS) as http:
        found = await asyncio.gather(
            *(_process(http, name, process, state.admin_ports.get(name)) for name, process in state.processes.items())
        )
    return {"url": state.url, "shows": state.shows, "processes": found}


async def _process(http: httpx.AsyncClient, name: str, process: ProcessState, admin_port: int | None) -> Json:
    told: Json = {"name": name, "pid": process.pid, "port": process.port, "restarts": process.restarts}
    if process.pid is None:
        return told | {"state": "ended"}
    if process.port is None or name == CONSOLE:
        return told | {"state": "running"}
    names, numbers = await asyncio.gather(_names(http, name, process.port), _numbers(http, admin_port))
    told["state"] = "ready" if names and set(names.values()) == {"SERVING"} else "not ready" if names else "no answer"
    return told | {"names": names, "feed_lag": numbers.get(_LAG), "memory_bytes": numbers.get(_MEMORY)}


async def _names(http: httpx.AsyncClient, name: str, port: int) -> Mapping[str, str]:
    """What it says under each name of its health; nothing when it does not answer."""
    if name.startswith(GATEWAY):
        try:
            return dict((await http.get(f"http://{HOST}:{port}/readyz")).json()["upstreams"])
        except (httpx.HTTPError, ValueError, KeyError):
            return {}
    try:
        async with channel_to(port) as channel:
            answer = await health_pb2_grpc.HealthStub(channel).List(health_pb2.HealthListRequest(), timeout=_SECONDS)
    except (grpc.aio.AioRpcError, TlsConfigurationError):
        return {}
    word = health_pb2.HealthCheckResponse.ServingStatus.Name
    return {name or "process": word(told.status) for name, told in sorted(answer.statuses.items())}


async def _numbers(http: httpx.AsyncClient, port: int | None) -> Mapping[str, float]:
    """The unlabelled numbers of its page /metrics; nothing when there is none."""
    if port is None:
        return {}
    try:
        page = (await http.get(f"http://{HOST}:{port}/metrics")).text
        samples = [sample for family in text_string_to_metric_families(page) for sample in family.samples]
    except (httpx.HTTPError, ValueError):
        return {}
    return {sample.name: sample.value for sample in samples if not sample.labels}
