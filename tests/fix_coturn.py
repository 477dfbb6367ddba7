"""A real coturn on loopback, where Debian's package is installed."""

import asyncio
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from video_svc.peers.coturn import Coturn

SECRET = "the secret that service and server share"  # noqa: S105 - known to the server of one test
_READY_SECONDS = 20


@pytest.fixture
async def coturn() -> AsyncIterator[Coturn]:
    """The adapter, and the server that believes its credentials."""
    program = shutil.which("turnserver")
    if program is None:
        pytest.skip("coturn is not installed (Debian: apt-get install coturn)")
    port = _free_port()
    with tempfile.TemporaryDirectory() as folder:
        options = [
            "-n",
            "--listening-ip=127.0.0.1",
            "--relay-ip=127.0.0.1",
            f"--listening-port={port}",
            "--use-auth-secret",
            f"--static-auth-secret={SECRET}",
            "--realm=visit.local",
            "--no-tls",
            "--no-dtls",
            "--no-cli",
            "--allow-loopback-peers",
            "--log-file=stdout",
            f"--pidfile={Path(folder) / 'pid'}",
            f"--userdb={Path(folder) / 'db'}",
        ]
        server = await asyncio.create_subprocess_exec(
            program, *options, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        try:
            await _listens(port)
            yield Coturn((f"turn:127.0.0.1:{port}?transport=udp",), SECRET)
        finally:
            server.terminate()
            await server.wait()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


async def _listens(port: int) -> None:
    """Returns once the server takes connections; it listens on TCP and UDP alike."""
    async with asyncio.timeout(_READY_SECONDS):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                await writer.wait_closed()
                return
