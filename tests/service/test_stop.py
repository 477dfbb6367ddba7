"""A stop lets running calls finish, ends streams so that their readers go elsewhere, and waits for nothing else."""

import asyncio
import time

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from telemed.appointment.v1 import appointment_service_pb2 as pb
from telemed.appointment.v1.appointment_service_pb2_grpc import AppointmentServiceStub

from appointment_svc.__main__ import build
from appointment_svc.domain.rules import Rules
from appointment_svc.settings import AppointmentSettings
from chassis.context import Role
from chassis.process import GrpcProcess
from chassis.settings import SharedSettings
from tests.fix_ledger import NOW
from tests.fix_services import Callers, until

GRACE = 20


@pytest.fixture
async def process(appointment_db_url: str, shared: SharedSettings) -> GrpcProcess:
    settings = AppointmentSettings(
        port=0,
        database_url=appointment_db_url,
        doctor_target="127.0.0.1:9",
        # Long enough for what a busy machine has sent and not yet taken in.
        drain_seconds=1.0,
        grace_seconds=GRACE,
    )
    return await build(settings, Rules(), shared, lambda: NOW)


async def test_open_streams_and_health_watchers_do_not_hold_a_stop_up(process: GrpcProcess, callers: Callers):
    target = f"127.0.0.1:{await process.start()}"
    async with grpc.aio.insecure_channel(target) as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(service=""))
        changes = AppointmentServiceStub(channel).WatchChanges(
            pb.WatchChangesRequest(), metadata=callers.metadata(Role.SERVICE)
        )
        await watch.read()
        assert (await changes.read()).head_revision == "0"
        started = time.monotonic()
        await process.stop()
        assert time.monotonic() - started < GRACE / 2, "it waited for streams that never end"
        assert await changes.code() is grpc.StatusCode.UNAVAILABLE


async def test_calls_in_hand_are_answered_before_the_process_goes(process: GrpcProcess, callers: Callers):
    target = f"127.0.0.1:{await process.start()}"
    async with grpc.aio.insecure_channel(target) as channel:
        stub = AppointmentServiceStub(channel)
        calls = [
            asyncio.ensure_future(
                stub.ListAppointments(pb.ListAppointmentsRequest(), metadata=callers.metadata(Role.ADMIN))
            )
            for _ in range(20)
        ]
        await until(lambda: any(call.done() for call in calls))
        await process.stop()
        answers = await asyncio.gather(*calls)
        assert len(answers) == 20
