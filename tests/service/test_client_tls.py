"""The clients over TLS speak to whom their root certificates vouch for, and show one of their own where it is asked."""

import asyncio
import ipaddress
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from telemed.appointment.v1 import appointment_pb2
from telemed.appointment.v1.appointment_service_pb2 import GetAppointmentRequest
from telemed.appointment.v1.appointment_service_pb2_grpc import (
    AppointmentServiceServicer,
    add_AppointmentServiceServicer_to_server,
)

from telemed_client import AsyncClient, Client, Targets, TelemedError, tls


class Servicer(AppointmentServiceServicer):
    async def GetAppointment(self, request, context):
        assert dict(context.invocation_metadata())["authorization"] == "Bearer my-token"
        return appointment_pb2.Appointment(id=request.id)


@dataclass(frozen=True)
class Pair:
    """A key and its certificate, in files."""

    key: Path
    certificate: Path

    def bytes(self) -> tuple[bytes, bytes]:
        return self.key.read_bytes(), self.certificate.read_bytes()


def self_signed(folder: Path, name: str) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pair = Pair(folder / f"{name}.key", folder / f"{name}.pem")
    pair.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    pair.certificate.write_bytes(certificate.public_bytes(Encoding.PEM))
    return pair


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
