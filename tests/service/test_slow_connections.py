"""A busy peer takes its time until a connection stands; a channel waits for it instead of trying again and again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
from google.protobuf.empty_pb2 import Empty
from telemed.appointment.v1.appointment_service_pb2 import GetAppointmentRequest

from chassis.client import open_channel
from telemed_client import AsyncClient, Targets

# More than the longest pause between two attempts.
SLOWNESS_SECONDS = 1.5


class Connections:
    """Passes each connection on to a server after a while, and counts them."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._passing: list[asyncio.Task[None]] = []

    @property
    def count(self) -> int:
        return len(self._passing)

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._passing.append(asyncio.create_task(self._pass_on(reader, writer)))

    async def end(self) -> None:
        for one in self._passing:
            one.cancel()
        await asyncio.gather(*self._passing, return_exceptions=True)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(SLOWNESS_SECONDS)
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            await asyncio.gather(pump(reader, to_server), pump(from_server, writer))
        finally:
            writer.close()
            to_server.close()


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


class Answers(grpc.GenericRpcHandler):
    """Answers every call but those for health, which a channel takes for a server that is always well."""

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        if details.method.startswith("/grpc.health"):
            return None
        return grpc.unary_unary_rpc_method_handler(self.answer, response_serializer=Empty.SerializeToString)

    async def answer(self, _request: bytes, _context: object) -> Empty:
        return Empty()


@asynccontextmanager
async def slow_server() -> AsyncIterator[tuple[str, Connections]]:
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Answers(),))
    connections = Connections(server.add_insecure_port("127.0.0.1:0"))
    await server.start()
    door = await asyncio.start_server(connections.accept, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{door.sockets[0].getsockname()[1]}", connections
    finally:
        door.close()
        await connections.end()
        await server.stop(0)


async def test_a_channel_between_services_waits_for_a_slow_connection():
    async with slow_server() as (target, connections), open_channel(target) as channel:
        await channel.unary_unary("/a/b")(b"", timeout=20, wait_for_ready=True)
        assert connections.count == 1


async def test_the_client_waits_for_a_slow_connection_too():
    async with slow_server() as (target, connections), AsyncClient(Targets.at(target), "t", deadline=20) as client:
        await client.appointments.GetAppointment(GetAppointmentRequest(id="a"))
        assert connections.count == 1
