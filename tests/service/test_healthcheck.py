"""`telemed healthcheck`, as a container engine runs it beside a process, in the clear and over TLS."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest

from chassis.server import build_server
from chassis.tls import server_credentials
from chassis.tls_files import PLAIN, TlsFiles
from tests.certificates import Authority
from tests.fix_stack import ROOT


@asynccontextmanager
async def serving(tls: TlsFiles) -> AsyncIterator[int]:
    """A server that says SERVING; yields its port."""
    built = build_server([], services=[])
    credentials = server_credentials(tls) or grpc.insecure_server_credentials()
    port = built.server.add_secure_port("127.0.0.1:0", credentials)
    await built.server.start()
    built.health.say(serving=True)
    try:
        yield port
    finally:
        await built.server.stop(None)


async def check(port: int, tls: TlsFiles) -> tuple[int | None, str]:
    """The exit code and what it says, told by the same variables as the process."""
    named = {"CERT": tls.certificates, "KEY": tls.key, "CA": tls.root_certificates}
    environment = os.environ | {f"TELEMED_TLS_{name}_FILE": str(path or "") for name, path in named.items()}
    environment["TELEMED_TLS_CLIENT_CERTIFICATES"] = "required" if tls.requires_client_certificates else "none"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "stack.cli", "healthcheck", "appointment", str(port)),
        cwd=ROOT,
        env=environment,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    return process.returncode, said.decode()


@pytest.fixture
def ca(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "ca")


async def test_a_plain_process_is_asked_in_the_clear():
    async with serving(PLAIN) as port:
        assert (await check(port, PLAIN))[0] == 0
    assert (await check(port, PLAIN))[0] == 1, "nobody is there"


@pytest.mark.parametrize("hosts", [["appointment", "appointment.telemed.svc"], ["*.telemed.svc"], ["10.1.2.3"]])
async def test_a_process_with_mutual_tls_is_asked_by_the_name_in_its_certificate(ca: Authority, hosts: list[str]):
    tls = ca.files(ca.issue("appointment", *hosts), required=True)
    async with serving(tls) as port:
        assert (await check(port, tls))[0] == 0
        assert (await check(port, PLAIN))[0] == 1


async def test_a_process_that_trusts_nobody_is_trusted_by_its_own_certificate(ca: Authority):
    pair = ca.issue("appointment", "appointment")
    tls = TlsFiles(pair.certificate, pair.key)
    async with serving(tls) as port:
        assert (await check(port, tls))[0] == 0
        other = Authority(ca.folder, "other").issue("another", "appointment")
        assert (await check(port, TlsFiles(other.certificate, other.key)))[0] == 1


async def test_certificates_that_cannot_be_used_are_named(ca: Authority):
    pair = ca.issue("appointment")
    pair.key.unlink()
    code, said = await check(1, TlsFiles(pair.certificate, pair.key))
    assert code == 1
    assert said.startswith("telemed: TELEMED_TLS_KEY_FILE cannot be read: ")
