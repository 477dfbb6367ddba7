"""Requests of all kinds, good, refused, broken off and cancelled, are one connected tree of spans each."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from bench import doctors
from bench.span_trees import receiving, send_mixed
from chassis.context import Role
from stack.issuer import Issuer
from tests.fix_stack import StartStack

# `python -m bench.span_trees` sends ten thousand.
REQUESTS = 200


@pytest.mark.timeout(300)
async def test_every_request_is_one_tree_without_an_orphan(start_stack: StartStack, monkeypatch: pytest.MonkeyPatch):
    async with receiving() as (store, address):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "200")
        stack = await asyncio.to_thread(start_stack, "--no-demo")
        await doctors.add_doctors(stack.state.database_urls["doctor"])
        token = Issuer.of(stack.data).mint(Role.ADMIN, str(uuid4()), now=datetime.now(UTC), ttl=timedelta(minutes=10))
        url, doctor = f"http://127.0.0.1:{stack.port}", f"127.0.0.1:{stack.port + 2}"
        report = await send_mixed(store, url, doctor, token=token, requests=REQUESTS, first=doctors.first_day())
    assert report.faults == []
    assert {"book: 200", "smart book: 200", "no token: 401", "not found: 404", "stream: left"} <= set(report.answers)
    assert report.spans > 2 * REQUESTS
