"""A name server for tests: it answers every name with the addresses that a test says, as a headless service does."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

_HEADER = struct.Struct("!6H")
_A, _IN, _TTL_SECONDS = 1, 1, 0
_ANSWER, _POINTER_TO_THE_NAME = 0x8180, 0xC00C


class Names(asyncio.DatagramProtocol):
    """What the names lead to now, and how often somebody asked for addresses (RFC 1035)."""

    def __init__(self) -> None:
        self.addresses: list[str] = []
        self.asked = 0
        self.port = 0

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        number, *_ = _HEADER.unpack_from(data)
        end = data.index(0, _HEADER.size) + 5
        kind, _ = struct.unpack_from("!2H", data, end - 4)
        self.asked += kind == _A
        found = self.addresses if kind == _A else []
        records = [
            struct.pack("!HHHIH4s", _POINTER_TO_THE_NAME, _A, _IN, _TTL_SECONDS, 4, socket.inet_aton(one))
            for one in found
        ]
        head = _HEADER.pack(number, _ANSWER, 1, len(records), 0, 0)
        self._transport.sendto(head + data[_HEADER.size : end] + b"".join(records), addr)


@asynccontextmanager
async def name_server() -> AsyncIterator[Names]:
    """Serves on a port of loopback for as long as the block lasts."""
    transport, names = await asyncio.get_running_loop().create_datagram_endpoint(Names, ("127.0.0.1", 0))
    try:
        yield names
    finally:
        transport.close()
