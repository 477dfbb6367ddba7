"""A Redis of the test's own, which it may stop and start again."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from stack.probes import is_free
from tests.fix_stack import wait_until


@dataclass
class RedisServer:
    """redis-server on loopback, without a file."""

    binary: str
    port: int
    folder: Path
    process: Any = field(default=None)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        options = ["--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--dir", str(self.folder)]
        self.process = subprocess.Popen([self.binary, *options], stdout=subprocess.DEVNULL)
        wait_until(lambda: not is_free(self.port), "redis listens")

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A running Redis; skips where there is no redis-server."""
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip("needs redis-server (Debian: redis-server)")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = RedisServer(binary, port, tmp_path)
    server.start()
    yield server
    server.stop()
