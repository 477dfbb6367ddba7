"""Readiness tells the truth about PostgreSQL: a real server is stopped and started again under a real service."""

import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from telemed.appointment.v1 import appointment_service_pb2 as pb
from telemed.appointment.v1.appointment_service_pb2_grpc import AppointmentServiceStub

from appointment_svc.__main__ import build
from appointment_svc.domain.rules import Rules
from appointment_svc.settings import AppointmentSettings
from chassis.context import Role
from chassis.migrations import migrate
from chassis.settings import SharedSettings
from stack.databases import create_when_missing, migrations_of, urls_on
from stack.postgres import Postgres
from tests.fix_ledger import NOW
from tests.fix_services import Callers, running

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
OUTAGE_SECONDS = 2.5  # long enough for a pool that waits longer and longer to have become slow to look


@pytest.fixture
def server() -> Iterator[Postgres]:
    """A PostgreSQL that this test may stop."""
    with tempfile.TemporaryDirectory(prefix="telemed-tests-") as folder:
        data = Path(folder)
        data.chmod(0o755)
        with Postgres(data, log=data / "postgres.log", durable=False) as found:
            yield found


async def until_health(stub: Any, state: int, seconds: float = 20) -> float:
    """Waits until the process says so, and tells how long that took."""
    started = time.perf_counter()
    async with asyncio.timeout(seconds):
        while (await stub.Check(health_pb2.HealthCheckRequest(), timeout=5)).status != state:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return time.perf_counter() - started


async def test_readiness_follows_postgresql_down_and_up_again_and_life_does_not(
    server: Postgres, callers: Callers, shared: SharedSettings, record_property: Callable[[str, object], None]
):
    url = urls_on(server.url())["appointment"]
    await create_when_missing(url)
    await migrate(url, migrations_of("appointment"))
    settings = AppointmentSettings(port=0, database_url=url, doctor_target="127.0.0.1:9", drain_seconds=0)
    process = await build(settings, Rules(), shared, lambda: NOW)
    async with running(process) as target, grpc.aio.insecure_channel(target) as channel:
        health, appointments = health_pb2_grpc.HealthStub(channel), AppointmentServiceStub(channel)
        await until_health(health, SERVING)
        await asyncio.to_thread(server.stop)
        lost = await until_health(health, NOT_SERVING)
        alive = await health.Check(health_pb2.HealthCheckRequest(service="liveness"), timeout=5)
        assert alive.status == SERVING
        await asyncio.sleep(OUTAGE_SECONDS)
        await asyncio.to_thread(server.start)
        back = await until_health(health, SERVING)
        await appointments.ListAppointments(pb.ListAppointmentsRequest(), metadata=callers.metadata(Role.ADMIN))
    record_property("seconds until PostgreSQL's loss and its return were told", (round(lost, 2), round(back, 2)))
