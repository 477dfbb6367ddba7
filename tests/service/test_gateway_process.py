"""The gateway as a process: it serves every installed contract, and a stop loses no request."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import orjson
from gateway_harness import House, open_house
from telemed.appointment.v1 import appointment_service_pb2

from gateway.discovery import installed_services


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@asynccontextmanager
async def gateway_process(house: House, port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    environment = {
        "PATH": os.environ["PATH"],
        "TELEMED_JWKS_FILE": str(house.keys),
        "TELEMED_TOKEN_ISSUER": "test",
        "GATEWAY_PORT": str(port),
        "GATEWAY_UPSTREAMS": orjson.dumps({"telemed": house.target}).decode(),
        "GATEWAY_DRAIN_SECONDS": "0.3",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", env=environment, stderr=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def ready(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                if (await client.get("/readyz")).status_code == 200:
                    return
            except httpx.ConnectError:
                await asyncio.sleep(0.05)


async def test_a_stop_is_announced_and_lets_the_running_request_finish(tmp_path: Path):
    port = free_port()
    async with (
        open_house(tmp_path) as house,
        gateway_process(house, port) as process,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=house.auth) as client,
    ):
        await ready(client)
        listed = {route["rpc"] for route in (await client.get("/")).json()["routes"]}
        assert listed == {method.full_name for service in installed_services("telemed") for method in service.methods}
        house.servicer.answer = appointment_service_pb2.BookResponse(revision="r")
        house.servicer.takes_seconds = 0.8
        booking = asyncio.create_task(client.post("/appointments/book", json={}))
        await asyncio.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.1)
        told = await client.get("/readyz")
        assert (told.status_code, told.json()["status"]) == (503, "stopping")
        assert (await booking).json()["revision"] == "r"
        async with asyncio.timeout(5):
            _, log = await process.communicate()
    assert process.returncode == 0
    assert b"Traceback" not in log


async def test_an_address_that_is_taken_ends_the_process_at_once(tmp_path: Path):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        async with open_house(tmp_path) as house, gateway_process(house, holder.getsockname()[1]) as process:
            async with asyncio.timeout(20):
                _, log = await process.communicate()
    assert process.returncode == 1
    assert b"Address already in use" in log
    assert b"Traceback" not in log
