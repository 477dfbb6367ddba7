"""Who asks too often, from too many pages, or too many at once, against the real application."""

import asyncio
from pathlib import Path

import httpx
import pytest
from gateway_harness import UNCOUNTED, House, open_house
from telemed.appointment.v1 import appointment_pb2

from gateway.cors import Cors
from gateway.limits.bucket import Rate
from gateway.limits.guard import RateGuard
from gateway.limits.local import LocalBuckets
from gateway.limits.shared import SharedBuckets
from tests.fix_redis import RedisServer

PATH = "/appointments/0193f3a0-5b1e-7c3a-9f24-6d2f0f1c9b11"
SLOW = Rate(burst=3, per_second=0.01)
PAGE = "https://clinic.example"


def client_of(house: House, address: str = "192.0.2.1", **headers: str) -> httpx.AsyncClient:
    house.servicer.answer = appointment_pb2.Appointment()
    transport = httpx.ASGITransport(app=house.gateway, client=(address, 1234))
    return httpx.AsyncClient(transport=transport, base_url="http://gateway", headers={**house.auth, **headers})


async def statuses(client: httpx.AsyncClient, count: int) -> list[int]:
    return [(await client.get(PATH)).status_code for _ in range(count)]


async def test_a_user_who_asks_too_often_is_told_when_to_come_again(tmp_path: Path):
    rates = RateGuard(LocalBuckets(), per_address=None, per_user=SLOW)
    async with open_house(tmp_path, rates=rates) as house, client_of(house) as client:
        first = await client.get(PATH)
        assert first.headers["ratelimit-policy"] == '"user";q=3;w=300'
        assert first.headers["ratelimit"] == '"user";r=2;t=0'
        assert await statuses(client, 2) == [200, 200]
        refused = await client.get(PATH)
    assert refused.status_code == 429
    assert refused.json()["reason"] == "RATE_LIMITED"
    assert 90 <= int(refused.headers["retry-after"]) <= 100
    assert len(house.servicer.requests) == 3


async def test_an_address_is_counted_before_anybody_looks_at_its_token(tmp_path: Path):
    rates = RateGuard(LocalBuckets(), per_address=SLOW, per_user=None)
    async with open_house(tmp_path, rates=rates) as house:
        async with client_of(house, authorization="Bearer nonsense") as stranger:
            assert await statuses(stranger, 4) == [401, 401, 401, 429]
        async with client_of(house, address="192.0.2.2") as other:
            assert await statuses(other, 1) == [200]


async def test_all_addresses_of_one_subscriber_of_ipv6_are_one(tmp_path: Path):
    rates = RateGuard(LocalBuckets(), per_address=SLOW, per_user=None)
    async with open_house(tmp_path, rates=rates) as house:
        seen = []
        for last in range(4):
            async with client_of(house, address=f"2001:db8:0:1::{last}") as client:
                seen += await statuses(client, 1)
    assert seen == [200, 200, 200, 429]


@pytest.mark.parametrize(("proxies", "expected"), [(0, [200, 200, 200, 429]), (1, [200, 200, 200, 200])])
async def test_a_forwarded_address_counts_only_when_a_proxy_of_ours_wrote_it(
    tmp_path: Path, proxies: int, expected: list[int]
):
    rates = RateGuard(LocalBuckets(), per_address=SLOW, per_user=None, proxies=proxies)
    async with open_house(tmp_path, rates=rates) as house, client_of(house) as client:
        seen = [
            (await client.get(PATH, headers={"X-Forwarded-For": f"203.0.113.9, 198.51.100.{n}"})).status_code
            for n in range(4)
        ]
    assert seen == expected


async def test_replicas_that_share_a_redis_count_together(redis_server: RedisServer):
    one, other = SharedBuckets(redis_server.url, wait_seconds=10), SharedBuckets(redis_server.url, wait_seconds=10)
    rate = Rate(burst=5, per_second=0.01)
    decisions = await asyncio.gather(*(buckets.take("user:u", rate) for _ in range(5) for buckets in (one, other)))
    assert sum(decision.allowed for decision in decisions) == 5
    refused = next(decision for decision in decisions if not decision.allowed)
    assert 90 < refused.retry_after <= 100
    await one.close()
    await other.close()


async def test_without_its_redis_a_replica_counts_alone_and_fails_nobody(tmp_path: Path):
    nowhere = SharedBuckets("redis://127.0.0.1:1/0")
    rates = RateGuard(nowhere, per_address=None, per_user=SLOW)
    async with open_house(tmp_path, rates=rates) as house, client_of(house) as client:
        assert await statuses(client, 4) == [200, 200, 200, 429]
    await nowhere.close()


async def test_a_page_of_a_listed_origin_may_ask_and_call(tmp_path: Path):
    async with open_house(tmp_path, cors=Cors(frozenset({PAGE}))) as house, client_of(house, origin=PAGE) as client:
        asked = await client.options(
            "/appointments/book", headers={"Access-Control-Request-Method": "POST", "Authorization": ""}
        )
        called = await client.get(PATH)
    assert asked.status_code == 204
    assert asked.headers["access-control-allow-origin"] == PAGE
    assert asked.headers["access-control-allow-methods"] == "POST"
    assert "idempotency-key" in asked.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in asked.headers
    assert called.headers["access-control-allow-origin"] == PAGE


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://clinic.example.evil.example"])
async def test_a_page_of_another_origin_is_told_nothing(tmp_path: Path, origin: str):
    async with open_house(tmp_path, cors=Cors(frozenset({PAGE}))) as house, client_of(house, origin=origin) as client:
        asked = await client.options("/appointments/book", headers={"Access-Control-Request-Method": "POST"})
        called = await client.get(PATH)
    assert asked.status_code == 405
    for answer in (asked, called):
        assert "access-control-allow-origin" not in answer.headers
        assert "origin" in answer.headers["vary"]


async def test_more_requests_than_the_process_takes_at_once_are_turned_away_at_once(tmp_path: Path):
    async with open_house(tmp_path, rates=UNCOUNTED, in_flight=2) as house, client_of(house) as client:
        house.servicer.takes_seconds = 0.5
        answers = await asyncio.gather(*(client.get(PATH) for _ in range(5)))
        health = await client.get("/healthz")
    assert sorted(answer.status_code for answer in answers) == [200, 200, 429, 429, 429]
    shed = next(answer for answer in answers if answer.status_code == 429)
    assert (shed.json()["reason"], shed.headers["retry-after"]) == ("OVERLOADED", "1")
    assert health.status_code == 200
