"""Clients that send too much, too slowly, or nonsense, against the real HTTP server."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from gateway_harness import House, open_house
from telemed.appointment.v1 import appointment_service_pb2

HEAD = b"POST /appointments/book HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nauthorization: %s\r\n"


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as found:
        found.servicer.answer = appointment_service_pb2.BookResponse(revision="r")
        yield found


def head(house: House, *more: bytes) -> bytes:
    return HEAD % house.auth["authorization"].encode() + b"".join(line + b"\r\n" for line in more)


async def talk(port: int, *parts: bytes, pause: float = 0.0) -> bytes:
    """Sends parts with a pause between them and reads until the server closes or resets the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def send() -> None:
        try:
            for part in parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(pause)
        except ConnectionError:
            return

    sending = asyncio.create_task(send())
    received = b""
    try:
        async with asyncio.timeout(10):
            while part := await reader.read(65_536):
                received += part
            return received
    except ConnectionResetError:
        return received
    finally:
        sending.cancel()
        writer.close()


async def test_a_megabyte_is_refused_and_the_client_gets_to_read_why(house):
    async with house.served() as port, httpx.AsyncClient(headers=house.auth) as client:
        for _ in range(5):
            answer = await client.post(
                f"http://127.0.0.1:{port}/appointments/book",
                content=b"x" * 1_000_000,
                headers={"content-type": "application/json"},
            )
            assert (answer.status_code, answer.headers["connection"]) == (413, "close")
    assert house.servicer.requests == []


async def test_a_body_without_end_is_not_read_to_the_end(house):
    chunk = b"2000\r\n" + b" " * 0x2000 + b"\r\n"
    async with house.served() as port:
        answer = await talk(port, head(house, b"transfer-encoding: chunked", b""), *[chunk] * 1000)
    assert answer.startswith(b"HTTP/1.1 413 ")


async def test_a_body_that_comes_too_slowly_is_408(house):
    async with house.served() as port:
        answer = await talk(port, head(house, b"content-length: 100", b""), b"{", b'"', pause=0.1)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"REQUEST_TIMEOUT" in answer


async def test_a_client_that_asks_first_is_told_not_to_send(house):
    async with house.served() as port:
        answer = await talk(port, head(house, b"content-length: 1000000", b"expect: 100-continue", b""))
    assert answer.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "parts",
    [[b""], [b"\r\n"], [b"GET / HTTP/1.1\r\nhost: x\r\n"], [b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n", b"\r\n"]],
    ids=["nothing", "a blank line", "half a head", "a blank line after a request"],
)
async def test_headers_that_never_end_free_the_connection(house, parts):
    async with house.served(header_seconds=0.3) as port:
        async with asyncio.timeout(3):
            answer = await talk(port, *parts, pause=0.1)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 200 ")


async def test_headers_without_end_are_cut_off_by_size(house):
    async with house.served() as port:
        answer = await talk(port, b"GET / HTTP/1.1\r\n", *[b"x: %s\r\n" % (b"a" * 1000)] * 40, pause=0.001)
    assert answer.startswith(b"HTTP/1.1 431 ")


async def test_a_request_that_is_not_http_is_400(house):
    async with house.served() as port:
        assert (await talk(port, b"NONSENSE\r\n\r\n")).startswith(b"HTTP/1.1 400 ")


async def test_a_refused_request_leaves_the_connection_of_use(house):
    async with house.served() as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        refused = await client.post("/appointments/book", json={"patient_notes": "n" * 30_000})
        answer = await client.post("/appointments/book", json={}, headers=house.auth)
    assert (refused.status_code, answer.status_code) == (401, 200)
