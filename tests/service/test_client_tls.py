"""The clients over TLS speak to whom their root certificates vouch for, and show one of their own where it is asked."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
from telemed.appointment.v1 import appointment_pb2
from telemed.appointment.v1.appointment_service_pb2 import GetAppointmentRequest
from telemed.appointment.v1.appointment_service_pb2_grpc import (
    AppointmentServiceServicer,
    add_AppointmentServiceServicer_to_server,
)

from telemed_client import AsyncClient, Client, Targets, TelemedError, tls
from tests.certificates import Pair, self_signed


class Servicer(AppointmentServiceServicer):
    async def GetAppointment(self, request, context):
        assert dict(context.invocation_metadata())["authorization"] == "Bearer my-token"
        return appointment_pb2.Appointment(id=request.id)


@asynccontextmanager
async def serving(pair: Pair, clients: Pair | None = None) -> AsyncIterator[Targets]:
    roots = clients.certificate.read_bytes() if clients else None
    credentials = grpc.ssl_server_credentials([pair.bytes()], roots, require_client_auth=clients is not None)
    server = grpc.aio.server()
    add_AppointmentServiceServicer_to_server(Servicer(), server)
    port = server.add_secure_port("127.0.0.1:0", credentials)
    await server.start()
    try:
        yield Targets.at(f"127.0.0.1:{port}")
    finally:
        await server.stop(0)


async def test_the_client_for_asyncio_trusts_its_root_certificates(tmp_path: Path):
    pair = self_signed(tmp_path, "service")
    async with (
        serving(pair) as targets,
        AsyncClient(targets, "my-token", credentials=tls(pair.certificate), deadline=20) as client,
    ):
        assert (await client.appointments.GetAppointment(GetAppointmentRequest(id="a"))).id == "a"


async def test_the_client_with_threads_shows_a_certificate_of_its_own(tmp_path: Path):
    pair, own = self_signed(tmp_path, "service"), self_signed(tmp_path, "client")
    credentials = tls(pair.certificate, key=own.key, certificates=own.certificate)
    async with serving(pair, clients=own) as targets:
        with Client(targets, "my-token", credentials=credentials, deadline=20) as client, ThreadPoolExecutor() as pool:
            asked = pool.submit(client.appointments.GetAppointment, GetAppointmentRequest(id="a"))
            assert (await asyncio.wrap_future(asked)).id == "a"


async def test_a_service_that_nobody_vouches_for_is_not_spoken_to(tmp_path: Path):
    pair, stranger = self_signed(tmp_path, "service"), self_signed(tmp_path, "stranger")
    async with (
        serving(pair) as targets,
        AsyncClient(targets, "my-token", credentials=tls(stranger.certificate), deadline=3) as client,
    ):
        with pytest.raises(TelemedError) as failed:
            await client.appointments.GetAppointment(GetAppointmentRequest(id="a"))
    assert failed.value.code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
