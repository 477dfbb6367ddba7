"""Readiness by grpc.health.v1: asks what the process needs, twice a second, and says so under every name."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from grpc_health.v1 import health_pb2
from grpc_health.v1.health import aio

Probe = Callable[[], Awaitable[None]]

_INTERVAL_SECONDS = 0.4
_PROBE_SECONDS = 0.4
_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
logger = logging.getLogger(__name__)


class Readiness:
    """Keeps the health service true. `probe` raises while the process cannot do its work."""

    def __init__(self, servicer: aio.HealthServicer, services: Sequence[str], probe: Probe) -> None:
        self._servicer = servicer
        self._names = ["", *services]
        self._probe = probe
        self.is_ready = False
        self._has_left = False

    async def start(self) -> None:
        """Makes every name NOT_SERVING; grpc's servicer begins with "" as SERVING."""
        await self._say(ready=False)

    async def watch(self) -> None:
        """Probes for ever."""
        while True:
            ready = await self._is_well()
            if ready != self.is_ready and not self._has_left:
                logger.info("ready" if ready else "not ready")
                await self._say(ready=ready)
            await asyncio.sleep(_INTERVAL_SECONDS)

    async def _is_well(self) -> bool:
        try:
            async with asyncio.timeout(_PROBE_SECONDS):
                await self._probe()
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a dependency, the answer is "not ready"
            logger.debug("probe failed", extra={"error_type": type(error).__name__})
            return False
        return True

    async def _say(self, *, ready: bool) -> None:
        self.is_ready = ready
        for name in self._names:
            await self._servicer.set(name, _SERVING if ready else _NOT_SERVING)

    async def leave(self) -> None:
        """Says NOT_SERVING under every name, for good."""
        self._has_left = True
        self.is_ready = False
        async with asyncio.timeout(1.0):
            await self._servicer.enter_graceful_shutdown()
