"""Health on the admin port by plain HTTP, beside the numbers, for probes that cannot speak TLS to the gRPC port."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from chassis.health import HealthServicer, Readiness
from chassis.health_pages import HealthPages
from chassis.metrics import serve_metrics


class House:
    """The pages of a process, and its dependency, which is there or away as a test says."""

    def __init__(self) -> None:
        self.is_well = False
        self.readiness = Readiness(HealthServicer([]), self.probe)

    async def probe(self) -> None:
        if not self.is_well:
            raise ConnectionError("away")


@pytest.fixture
async def house() -> AsyncIterator[tuple[House, httpx.AsyncClient]]:
    house = House()
    page = serve_metrics("127.0.0.1", 0, HealthPages(house.readiness, asyncio.get_running_loop()).before)
    watching = asyncio.create_task(house.readiness.watch())
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{page.port}", timeout=10) as client:
        yield house, client
    watching.cancel()
    await asyncio.to_thread(page.close)


async def told(client: httpx.AsyncClient, path: str) -> tuple[int, str]:
    answer = await client.get(path)
    return answer.status_code, answer.json()["status"]


async def until_told(client: httpx.AsyncClient, expected: tuple[int, str]) -> None:
    async with asyncio.timeout(5):
        while await told(client, "/readyz") != expected:  # noqa: ASYNC110 - it happens on the other side
            await asyncio.sleep(0.02)


async def test_readiness_follows_the_process_and_life_does_not(house: tuple[House, httpx.AsyncClient]):
    process, client = house
    assert await told(client, "/readyz") == (503, "not ready")
    assert await told(client, "/healthz") == (200, "alive")
    process.is_well = True
    await until_told(client, (200, "ready"))
    await process.readiness.leave()
    assert await told(client, "/readyz") == (503, "not ready")
    assert await told(client, "/healthz") == (200, "alive")


async def test_a_process_whose_loop_hangs_is_said_not_to_live(house: tuple[House, httpx.AsyncClient]):
    process, client = house
    process.is_well = True
    await until_told(client, (200, "ready"))

    def ask(path: str) -> tuple[int, str]:
        answer = httpx.get(f"{client.base_url}{path}", timeout=10)
        return answer.status_code, answer.json()["status"]

    with ThreadPoolExecutor() as threads:
        # Without an await: the loop hangs until both have been told.
        asked = list(threads.map(ask, ("/healthz", "/readyz")))
    assert asked == [(503, "no answer"), (503, "no answer")]
    assert await told(client, "/healthz") == (200, "alive")


async def test_the_numbers_are_where_they_were(house: tuple[House, httpx.AsyncClient]):
    _, client = house
    for path in ("/metrics", "/"):
        assert "process_cpu_seconds_total" in (await client.get(path)).text
