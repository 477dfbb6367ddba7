"""The services behind the gateway: one channel to each address, and whether they are ready."""

import asyncio
from collections.abc import Mapping

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from grpc_health.v1 import health_pb2, health_pb2_grpc

from chassis.client import Client, open_channel
from chassis.tls_files import PLAIN, TlsFiles

_CHECK_SECONDS = 0.5
_READY = "SERVING"


class Upstreams:
    """Finds the service behind a contract by the longest prefix of its package; one shared channel per address."""

    def __init__(self, targets: Mapping[str, str], tls: TlsFiles = PLAIN) -> None:
        self._targets = dict(sorted(targets.items(), key=lambda item: -len(item[0])))
        self._channels = {target: open_channel(target, tls) for target in targets.values()}
        self._clients = {target: Client(channel, target=target) for target, channel in self._channels.items()}

    def client_for(self, service: ServiceDescriptor) -> Client:
        """The client of the process that serves a contract. Raises ValueError when none is configured."""
        package = service.file.package
        for prefix, target in self._targets.items():
            if package == prefix or package.startswith(f"{prefix}."):
                return self._clients[target]
        raise ValueError(f"no upstream is configured for {service.full_name}")

    async def states(self) -> dict[str, str]:
        """What each configured prefix answers to grpc.health.v1 now: SERVING, NOT_SERVING or a gRPC code."""
        found = await asyncio.gather(*(self._state(channel) for channel in self._channels.values()))
        by_target = dict(zip(self._channels, found, strict=True))
        return {prefix: by_target[target] for prefix, target in sorted(self._targets.items())}

    async def _state(self, channel: grpc.aio.Channel) -> str:
        try:
            answer = await health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(), timeout=_CHECK_SECONDS
            )
        except grpc.aio.AioRpcError as error:
            return error.code().name
        return str(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))

    async def close(self) -> None:
        """Closes every channel."""
        await asyncio.gather(*(channel.close() for channel in self._channels.values()))


def missing(states: Mapping[str, str]) -> list[str]:
    """The upstreams that are not ready."""
    return [prefix for prefix, state in states.items() if state != _READY]
