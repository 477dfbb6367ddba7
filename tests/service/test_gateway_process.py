"""The gateway as a process: it serves every installed contract, and a stop loses no request."""

import asyncio
import signal
import socket
from pathlib import Path

import httpx
from gateway_harness import gateway_process, open_house, ready
from telemed.appointment.v1 import appointment_service_pb2

from gateway.discovery import installed_services
from gateway.serve import listener
from tests.fix_stack import free_ports


async def test_a_stop_is_announced_and_lets_the_running_request_finish(tmp_path: Path):
    port = free_ports(1)
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
            await process.wait()
    assert process.returncode == 0
    assert b"Traceback" not in house.log.read_bytes()


async def test_one_of_several_waits_with_its_end_until_its_clients_have_turned_away(tmp_path: Path):
    with listener("127.0.0.1", 0) as shared:
        port, number = shared.getsockname()[1], shared.fileno()
        async with (
            open_house(tmp_path) as house,
            gateway_process(house, port, passed_on=(number,), listen_fd=number, keep_alive_seconds=30) as process,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=house.auth) as client,
        ):
            await ready(client)
            process.send_signal(signal.SIGTERM)
            await asyncio.sleep(1)  # longer than the drain
            answer = await client.get("/healthz")
            assert (answer.status_code, answer.headers["connection"]) == (200, "close")
            async with asyncio.timeout(5):
                await process.wait()
        assert process.returncode == 0


async def test_an_address_that_is_taken_ends_the_process_at_once(tmp_path: Path):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        async with open_house(tmp_path) as house, gateway_process(house, holder.getsockname()[1]) as process:
            async with asyncio.timeout(60):
                await process.wait()
    log = house.log.read_bytes()
    assert process.returncode == 1
    assert b"Address already in use" in log
    assert b"Traceback" not in log
