"""Every limit of the edge, against the gateway as a process: too much, too slow, too many, too often."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from gateway_harness import House, gateway_process, open_house, ready, until
from telemed.appointment.v1 import appointment_service_pb2 as pb

from tests.fix_redis import RedisServer
from tests.fix_stack import free_ports

PAGE = "https://clinic.example"
MOST, PER_ADDRESS, IN_FLIGHT = 200, 110, 20
# Where nobody is cut for being slow, however busy the machine is; and where hardly anybody has time.
PATIENT = {"header_seconds": 60, "body_seconds": 60, "write_seconds": 60, "keep_alive_seconds": 60}
HURRIED = {"header_seconds": 3, "body_seconds": 0.5, "write_seconds": 0.5, "keep_alive_seconds": 1}
COUNTS = {
    "max_connections": MOST,
    "max_connections_per_address": PER_ADDRESS,
    "max_in_flight": IN_FLIGHT,
    "least_in_flight": IN_FLIGHT,
    "cors_origins": f'["{PAGE}"]',
    "user_burst": 0,
    "address_burst": 0,
}
HEAD = b"POST /appointments/book HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nauthorization: %s\r\n"


@dataclass(frozen=True)
class Edge:
    """The process, by port, and the house behind it. Each test comes from an address of its own."""

    house: House
    port: int

    @asynccontextmanager
    async def client(self, address: str) -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.AsyncHTTPTransport(local_address=address, limits=httpx.Limits(max_connections=100))
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{self.port}", transport=transport, headers=self.house.auth, timeout=30
        ) as client:
            yield client

    def connect(self, address: str, *, buffer: int = 0) -> socket.socket:
        """A connection from an address; `buffer` bounds what the kernel takes in for a client that does not read."""
        wire = socket.socket()
        if buffer:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        wire.bind((address, 0))
        wire.connect(("127.0.0.1", self.port))
        wire.setblocking(False)
        return wire

    def head(self, *lines: bytes) -> bytes:
        auth = self.house.auth["authorization"].encode()
        return HEAD % auth + b"".join(line + b"\r\n" for line in lines)


@pytest_asyncio.fixture(scope="module")
async def edge(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Edge]:
    port = free_ports(1)
    async with (
        open_house(tmp_path_factory.mktemp("edge")) as house,
        gateway_process(house, port, **COUNTS, **PATIENT),
        Edge(house, port).client("127.0.1.1") as client,
    ):
        await ready(client)
        yield Edge(house, port)


@pytest_asyncio.fixture(scope="module")
async def hurried(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Edge]:
    port = free_ports(1)
    async with (
        open_house(tmp_path_factory.mktemp("hurried")) as house,
        gateway_process(house, port, **HURRIED),
        Edge(house, port).client("127.0.1.1") as client,
    ):
        await ready(client)
        yield Edge(house, port)


@pytest_asyncio.fixture
async def client(edge: Edge) -> AsyncIterator[httpx.AsyncClient]:
    edge.house.servicer.requests.clear()
    edge.house.servicer.answer = pb.BookResponse(revision="r")
    async with edge.client("127.0.1.2") as found:
        yield found


async def read_to_end(wire: socket.socket) -> bytes:
    """What the server says until it closes or resets the connection."""
    loop, received = asyncio.get_running_loop(), b""
    try:
        async with asyncio.timeout(30):
            while part := await loop.sock_recv(wire, 65_536):
                received += part
    except ConnectionResetError:
        pass
    finally:
        wire.close()
    return received


async def send(wire: socket.socket, *parts: bytes) -> None:
    for part in parts:
        try:
            await asyncio.get_running_loop().sock_sendall(wire, part)
        except ConnectionError:
            return


def reason_of(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["reason"]


@pytest.mark.parametrize(("size", "status"), [(64 * 1024, 200), (64 * 1024 + 1, 413)])
async def test_a_body_is_at_most_64_kib_said_beforehand_or_in_chunks(edge: Edge, client, size: int, status: int):
    body = b"{}" + b" " * (size - 2)

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, size, 4096):
            yield body[start : start + 4096]

    headers = {"content-type": "application/json"}
    answers = [await client.post("/appointments/book", content=sent, headers=headers) for sent in (body, chunks())]
    assert [answer.status_code for answer in answers] == [status, status]
    assert len(edge.house.servicer.requests) == (2 if status == 200 else 0)


async def test_chunks_without_end_are_not_read_to_the_end(edge: Edge):
    wire = edge.connect("127.0.1.3")
    chunk = b"2000\r\n" + b" " * 0x2000 + b"\r\n"
    sending = asyncio.create_task(send(wire, edge.head(b"transfer-encoding: chunked", b""), *[chunk] * 1000))
    assert (await read_to_end(wire)).startswith(b"HTTP/1.1 413 ")
    sending.cancel()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"patient_id": ' + "[" * 21 + "]" * 21 + "}", "patient_id"),
        ('{"patient_id": "a", "patient_id": "b"}', "patient_id"),
        ('{"duration_minutes": NaN}', "duration_minutes"),
        ('{"duration_minutes": Infinity}', "duration_minutes"),
    ],
    ids=["21 levels", "a key twice", "NaN", "Infinity"],
)
async def test_json_that_is_too_deep_or_means_nothing_is_400_by_its_field(edge: Edge, client, body: str, field: str):
    answer = await client.post("/appointments/book", content=body, headers={"content-type": "application/json"})
    assert reason_of(answer) == (400, "INVALID_ARGUMENT")
    assert answer.json()["violations"][0]["field"] == field
    assert edge.house.servicer.requests == []


@pytest.mark.parametrize(
    "headers", [{"x-long": "a" * 9_000}, {f"x-{n}": "a" for n in range(101)}], ids=["9 kB", "more than 100"]
)
async def test_headers_have_a_size_and_a_number(client, headers: dict[str, str]):
    assert reason_of(await client.get("/appointments/a", headers=headers)) == (431, "HEADERS_TOO_LARGE")


async def test_headers_without_end_are_431(edge: Edge):
    wire = edge.connect("127.0.1.3")
    sending = asyncio.create_task(send(wire, b"GET / HTTP/1.1\r\n", *[b"x: %s\r\n" % (b"a" * 1000)] * 40))
    answer = await read_to_end(wire)
    await sending
    # Bytes that were on their way when the server closed may reset the connection before its answer is read.
    assert answer == b"" or (answer.startswith(b"HTTP/1.1 431 ") and b"HEADERS_TOO_LARGE" in answer)


@pytest.mark.parametrize(
    "said",
    [b"", b"GET / HTTP/1.1\r\nhost: x\r\n", b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"],
    ids=["nothing", "half a head", "nothing more after an answer"],
)
async def test_who_does_not_go_on_is_cut(hurried: Edge, said: bytes):
    wire = hurried.connect("127.0.1.3")
    await send(wire, said)
    answer = await read_to_end(wire)
    assert answer.startswith(b"HTTP/1.1 200 ") if b"healthz" in said else answer == b""


async def test_a_body_that_does_not_come_is_408(hurried: Edge):
    wire = hurried.connect("127.0.1.3")
    await send(wire, hurried.head(b"content-length: 100", b""), b"{")
    answer = await read_to_end(wire)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"REQUEST_TIMEOUT" in answer


async def test_who_does_not_read_a_stream_is_cut(hurried: Edge):
    change = pb.WatchChangesResponse(head_revision="x" * 50_000)
    hurried.house.servicer.changes, hurried.house.servicer.holds_open = [change] * 1_000, True
    with hurried.connect("127.0.1.3", buffer=4096) as wire:
        request = hurried.head(b"").replace(b"POST /appointments/book", b"GET /appointments/changes")
        await send(wire, request)
        await until(lambda: hurried.house.servicer.streams == 1)
        await until(lambda: hurried.house.servicer.streams == 0, seconds=60)
    hurried.house.servicer.changes = []


async def test_an_address_has_so_many_connections_and_others_have_their_own(edge: Edge):
    with ExitStack() as stack:
        for _ in range(PER_ADDRESS):
            stack.enter_context(edge.connect("127.0.1.4"))
        refused = await read_to_end(edge.connect("127.0.1.4"))
        other = stack.enter_context(edge.connect("127.0.1.5"))
        await send(other, b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        answer = await read_to_end(other)
    assert refused.startswith(b"HTTP/1.1 503 ")
    assert b"TOO_MANY_CONNECTIONS" in refused
    assert answer.startswith(b"HTTP/1.1 200 ")


async def test_slow_clients_from_many_addresses_do_not_keep_others_out(edge: Edge, client):
    with ExitStack() as stack:
        for number in range(4 * 100):
            wire = stack.enter_context(edge.connect(f"127.0.2.{number // 100 + 1}"))
            await send(wire, b"GET / HTTP/1.1\r\nhost: x\r\n")
        answers = await asyncio.gather(*(client.post("/appointments/book", json={}) for _ in range(IN_FLIGHT)))
    assert [answer.status_code for answer in answers] == [200] * IN_FLIGHT


async def test_more_than_so_many_requests_at_once_are_turned_away_and_health_is_not(edge: Edge, client):
    edge.house.servicer.gate = asyncio.Event()
    running = [asyncio.create_task(client.post("/appointments/book", json={})) for _ in range(IN_FLIGHT)]
    await until(lambda: len(edge.house.servicer.requests) == IN_FLIGHT)
    shed = await client.post("/appointments/book", json={})
    health = await client.get("/healthz")
    edge.house.servicer.gate.set()
    edge.house.servicer.gate = None
    assert (reason_of(shed), shed.headers["retry-after"]) == ((429, "OVERLOADED"), "1")
    assert health.status_code == 200
    assert [(await answer).status_code for answer in running] == [200] * IN_FLIGHT


async def test_a_listed_page_may_call_and_another_is_told_nothing(client):
    asks = {"Access-Control-Request-Method": "POST"}
    listed = await client.options("/appointments/book", headers={**asks, "Origin": PAGE})
    other = await client.options("/appointments/book", headers={**asks, "Origin": "https://evil.example"})
    assert (listed.status_code, listed.headers["access-control-allow-origin"]) == (204, PAGE)
    assert (other.status_code, other.headers.get("access-control-allow-origin")) == (405, None)


async def test_every_answer_has_safe_headers_and_the_request_id_that_the_log_has_too(edge: Edge, client):
    path = "/appointments/0193f3a0-5b1e-7c3a-9f24-6d2f0f1c9b11?patient_notes=chest-pain"
    answer = await client.get(path, headers={"x-request-id": "browser-77"})
    made = await client.get("/nothing-here")
    for name, value in {
        "cache-control": "no-store",
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
    }.items():
        assert answer.headers[name] == value
    assert answer.headers["strict-transport-security"].startswith("max-age=")
    assert answer.headers["x-request-id"] == "browser-77"
    log = edge.house.log.read_text()
    assert "request_id=browser-77" in log
    assert f"request_id={made.headers['x-request-id']}" in log
    for private in ("0193f3a0", "chest-pain", "patient_notes", "nothing-here"):
        assert private not in log


async def test_gateways_that_share_a_redis_count_together(tmp_path: Path, redis_server: RedisServer):
    rates = {"user_burst": 5, "user_per_second": 0.01, "address_burst": 0, "redis_seconds": 10}
    async with open_house(tmp_path) as house, AsyncExitStack() as stack:
        house.servicer.answer = pb.BookResponse(revision="r")
        clients = []
        for port in (free_ports(1), free_ports(1)):
            await stack.enter_async_context(gateway_process(house, port, REDIS_URL=redis_server.url, **rates))
            clients.append(await stack.enter_async_context(Edge(house, port).client("127.0.1.6")))
        for client in clients:
            await ready(client)
        answers = [await client.post("/appointments/book", json={}) for _ in range(3) for client in clients]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert [answer.headers["ratelimit"] for answer in answers[:2]] == ['"user";r=4;t=0', '"user";r=3;t=0']
    refused = answers[-1]
    assert reason_of(refused) == (429, "RATE_LIMITED")
    assert refused.headers["ratelimit-policy"] == '"user";q=5;w=500'
    assert 90 <= int(refused.headers["retry-after"]) <= 100
