"""A server with a certificate speaks TLS alone, takes whom it is told to, and goes on with new certificates."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from telemed.video.v1 import video_service_pb2 as pb
from telemed.video.v1.video_service_pb2_grpc import VideoServiceServicer, add_VideoServiceServicer_to_server

from chassis.client import Client, open_channel
from chassis.health import HealthServicer, Readiness
from chassis.process import GrpcProcess
from chassis.server import build_server
from chassis.tls import server_credentials
from chassis.tls_files import PLAIN, TlsFiles
from kernel.errors import Kind, Refusal
from tests.certificates import Authority
from tests.fix_services import running, until

DESCRIPTOR = pb.DESCRIPTOR.services_by_name["VideoService"]
SERVICE, GET = DESCRIPTOR.full_name, DESCRIPTOR.methods_by_name["GetSession"]
SERVING = health_pb2.HealthCheckResponse.SERVING


@dataclass
class Servicer(VideoServiceServicer):
    """Keeps the certificate that the last caller showed."""

    shown: bytes = b""

    async def GetSession(self, request: pb.GetSessionRequest, context: Any) -> pb.Session:
        [self.shown] = context.auth_context().get("x509_pem_cert", [b""])
        return pb.Session(session_id=request.session_id)


@dataclass(frozen=True)
class Server:
    """A process of ours under way, and where."""

    port: int
    health: HealthServicer
    servicer: Servicer

    @property
    def target(self) -> str:
        return f"dns:///localhost:{self.port}"


@asynccontextmanager
async def serving(tls: TlsFiles) -> AsyncIterator[Server]:
    async def probe() -> None:
        return

    built = build_server([], services=[SERVICE])
    servicer = Servicer()
    add_VideoServiceServicer_to_server(servicer, built.server)
    readiness = Readiness(built.health, probe)
    process = GrpcProcess(
        "127.0.0.1:0",
        built.server,
        built.calls,
        readiness,
        drain_seconds=0,
        grace_seconds=1,
        credentials=server_credentials(tls),
    )
    async with running(process) as target:
        await until(lambda: readiness.is_ready)
        yield Server(int(target.rpartition(":")[2]), built.health, servicer)


async def ask(channel: grpc.aio.Channel, target: str) -> str:
    """What a server answers to a client like those of our processes: the id that it was asked for."""
    answer = await Client(channel, str, target=target).unary(GET, pb.GetSessionRequest(session_id="one"), pb.Session)
    return str(answer.session_id)


async def is_served(server: Server, tls: TlsFiles, target: str = "") -> bool:
    """Whether a process that speaks TLS with those files is answered."""
    async with open_channel(target or server.target, tls) as channel:
        try:
            return await ask(channel, server.target) == "one"
        except Refusal as refusal:
            kind = refusal.kind
    assert kind is Kind.UNAVAILABLE
    return False


@pytest.fixture
def ca(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "ca")


@pytest.fixture
def other_ca(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "other-ca")


async def test_a_plain_server_goes_on_as_ever():
    async with serving(PLAIN) as server:
        assert await is_served(server, PLAIN)


async def test_a_client_in_the_clear_is_refused(ca: Authority):
    async with serving(ca.files(ca.issue("server"))) as server:
        assert await is_served(server, TlsFiles(root_certificates=ca.root))
        assert not await is_served(server, PLAIN)


async def test_a_server_of_another_authority_is_not_spoken_to(ca: Authority, other_ca: Authority):
    async with serving(ca.files(ca.issue("server"))) as server:
        assert not await is_served(server, TlsFiles(root_certificates=other_ca.root))


async def test_a_server_by_another_name_than_its_own_is_not_spoken_to(ca: Authority):
    async with serving(ca.files(ca.issue("server", "localhost"))) as server:
        tls = TlsFiles(root_certificates=ca.root)
        assert await is_served(server, tls)
        assert not await is_served(server, tls, f"127.0.0.1:{server.port}")


async def test_health_and_reflection_are_on_the_same_port(ca: Authority):
    tls = ca.files(ca.issue("server"))
    async with serving(tls) as server, open_channel(server.target, tls) as channel:
        health = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=5)
        assert health.status == SERVING
        asked = reflection_pb2.ServerReflectionRequest(list_services="")
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        async for answer in stub.ServerReflectionInfo(iter([asked]), timeout=5):
            assert SERVICE in {service.name for service in answer.list_services_response.service}


async def test_with_mutual_tls_only_who_has_a_certificate_of_that_authority_is_served(
    ca: Authority, other_ca: Authority
):
    own, stranger = ca.issue("client"), other_ca.issue("stranger")
    async with serving(ca.files(ca.issue("server"), required=True)) as server:
        assert await is_served(server, ca.files(own))
        assert not await is_served(server, TlsFiles(root_certificates=ca.root)), "no certificate"
        assert not await is_served(server, ca.files(stranger)), "a certificate of somebody else's"
        assert not await is_served(server, PLAIN)


async def test_who_shows_a_certificate_that_nobody_has_asked_for_is_served_too(ca: Authority, other_ca: Authority):
    async with serving(ca.files(ca.issue("server"))) as server:
        assert await is_served(server, ca.files(other_ca.issue("stranger")))


async def test_a_server_goes_on_with_a_new_certificate_and_its_streams_go_on_too(ca: Authority, other_ca: Authority):
    old, new = TlsFiles(root_certificates=ca.root), TlsFiles(root_certificates=other_ca.root)
    pair = ca.issue("server")
    async with serving(ca.files(pair)) as server, open_channel(server.target, old) as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        assert (await watch.read()).status == SERVING
        assert not await is_served(server, new)
        assert other_ca.issue("server") == pair, "in the same files"
        assert await is_served(server, new)
        assert not await is_served(server, old)
        server.health.say(serving=False)
        assert (await watch.read()).status != SERVING
        watch.cancel()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda pair: pair.certificate.write_text("nothing of the kind"),
        lambda pair: pair.key.write_bytes(Authority(pair.key.parent, "x").issue("x").key.read_bytes()),
        lambda pair: pair.key.unlink(),
    ],
    ids=["no certificate", "half of it", "gone"],
)
async def test_new_files_that_do_not_fit_together_change_nothing(
    ca: Authority, spoil: Callable[[Any], object], caplog: pytest.LogCaptureFixture
):
    trusting = TlsFiles(root_certificates=ca.root)
    pair = ca.issue("server")
    async with serving(ca.files(pair)) as server:
        spoil(pair)
        assert await is_served(server, trusting)
        [warned] = [record for record in caplog.records if record.levelname == "WARNING"]
        assert "TELEMED_TLS_" in vars(warned)["because"]
        renewed = ca.issue("server", "127.0.0.1")
        assert renewed == pair
        assert await is_served(server, trusting, f"127.0.0.1:{server.port}")
        assert not await is_served(server, trusting), "the newest certificate names another host"


async def test_a_channel_shows_its_new_certificate_and_its_streams_go_on(ca: Authority, other_ca: Authority):
    """Both ends change to another authority, as a clinic does: for a while everybody trusts both."""
    trusted = ca.folder / "trusted.pem"
    trusted.write_bytes(ca.root.read_bytes())
    server_pair, client_pair = ca.issue("server"), ca.issue("client")
    server_tls = TlsFiles(server_pair.certificate, server_pair.key, trusted, requires_client_certificates=True)
    client_tls = TlsFiles(client_pair.certificate, client_pair.key, trusted)
    async with serving(server_tls) as server, open_channel(server.target, client_tls) as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        assert (await watch.read()).status == SERVING
        trusted.write_bytes(ca.root.read_bytes() + other_ca.root.read_bytes())
        await asyncio.sleep(1.1)  # a channel looks once a second
        assert await ask(channel, server.target) == "one"
        for issue in (ca.issue, other_ca.issue):
            issue("server")
            issue("client")
            await asyncio.sleep(1.1)
            assert await ask(channel, server.target) == "one"
            assert server.servicer.shown == client_pair.certificate.read_bytes(), "the old one was shown"
        trusted.write_bytes(other_ca.root.read_bytes())
        assert await ask(channel, server.target) == "one"
        assert not await is_served(server, ca.files(ca.issue("latecomer")))
        server.health.say(serving=False)
        assert (await watch.read()).status != SERVING, "the stream is the one that began on the first channel"
        watch.cancel()


async def test_many_clients_at_once_meet_a_change_of_certificates_and_none_is_refused(ca: Authority):
    tls = ca.files(ca.issue("process"), required=True)
    async with serving(tls) as server:
        for _ in range(3):
            asking = [asyncio.create_task(is_served(server, tls)) for _ in range(20)]
            await asyncio.sleep(0.005)
            ca.issue("process")
            assert all(await asyncio.gather(*asking))


async def test_a_channel_that_is_closed_makes_no_more_calls(ca: Authority):
    tls = ca.files(ca.issue("server"))
    async with serving(tls) as server:
        channel = open_channel(server.target, tls)
        assert await ask(channel, server.target) == "one"
        await channel.close()
        ca.issue("server")
        await asyncio.sleep(1.1)
        with pytest.raises((Refusal, grpc.aio.UsageError)):
            await ask(channel, server.target)


def test_several_addresses_are_refused_over_tls_because_no_certificate_names_them(ca: Authority):
    with pytest.raises(ValueError, match="need one name, such as dns:///doctor:3002, not ipv4:"):
        open_channel("ipv4:127.0.0.1:3002,127.0.0.1:3012", ca.files(ca.issue("client")))
