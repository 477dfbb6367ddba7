"""Health by grpc.health.v1: what the process says of itself under each name, and the probe that keeps it true."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from chassis.metrics import serving
from chassis.signals import Signal

Probe = Callable[[], Awaitable[None]]

# The name that container engines ask whether to start the process anew: it serves for as long as it can answer at all.
LIVENESS = "liveness"
_INTERVAL_SECONDS = 0.2
_PROBE_SECONDS = 0.75
_LOOK_SECONDS = 60.0
_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
_UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
logger = logging.getLogger(__name__)


class HealthServicer(health_pb2_grpc.HealthServicer):  # type: ignore[misc]  # generated without types
    """Answers for `""`, which is the process, for each of `services`, and for `liveness`. Starts as NOT_SERVING.

    Not grpc's own servicer: that has no List, and a watcher who leaves makes it forget the others of the same name,
    who then never hear of a drain.
    """

    def __init__(self, services: Sequence[str]) -> None:
        self._states = {LIVENESS: _SERVING, **dict.fromkeys(["", *services], _NOT_SERVING)}
        self._changed = Signal()

    def say(self, *, serving: bool) -> None:
        """Sets every name but `liveness`, and tells whoever watches."""
        for name in self._states:
            if name != LIVENESS:
                self._states[name] = _SERVING if serving else _NOT_SERVING
        self._changed.fire()

    async def Check(  # noqa: N802 - the contract's name
        self, request: health_pb2.HealthCheckRequest, context: "grpc.aio.ServicerContext[Any, Any]"
    ) -> health_pb2.HealthCheckResponse:
        """The state of a name now; NOT_FOUND for one that is not known."""
        state = self._states.get(request.service)
        if state is None:
            await context.abort(grpc.StatusCode.NOT_FOUND, "this server knows no such name")
        return health_pb2.HealthCheckResponse(status=state)

    async def Watch(  # noqa: N802
        self, request: health_pb2.HealthCheckRequest, _: "grpc.aio.ServicerContext[Any, Any]"
    ) -> AsyncIterator[health_pb2.HealthCheckResponse]:
        """The state of a name now and whenever it changes; SERVICE_UNKNOWN for one that is not known."""
        last = None
        while True:
            seen, state = self._changed.count, self._states.get(request.service, _UNKNOWN)
            if state != last:
                last = state
                yield health_pb2.HealthCheckResponse(status=state)
            await self._changed.wait(seen, _LOOK_SECONDS)

    async def List(  # noqa: N802
        self, _: health_pb2.HealthListRequest, __: "grpc.aio.ServicerContext[Any, Any]"
    ) -> health_pb2.HealthListResponse:
        """The state of every name now."""
        states = {name: health_pb2.HealthCheckResponse(status=state) for name, state in self._states.items()}
        return health_pb2.HealthListResponse(statuses=states)


class Readiness:
    """Keeps the health service true. `probe` raises while the process cannot do its work."""

    def __init__(self, servicer: HealthServicer, probe: Probe) -> None:
        self._servicer = servicer
        self._probe = probe
        self.is_ready = False
        self._has_left = False

    async def watch(self) -> None:
        """Probes for ever, some five times a second: a change is told within a second, a probe that hangs included."""
        while True:
            ready = await self._is_well()
            if ready != self.is_ready and not self._has_left:
                logger.info("ready" if ready else "not ready")
                self._say(ready=ready)
            await asyncio.sleep(_INTERVAL_SECONDS)

    async def _is_well(self) -> bool:
        try:
            async with asyncio.timeout(_PROBE_SECONDS):
                await self._probe()
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a dependency, the answer is "not ready"
            logger.debug("probe failed", extra={"error_type": type(error).__name__})
            return False
        return True

    def _say(self, *, ready: bool) -> None:
        self.is_ready = ready
        serving.set(ready)
        self._servicer.say(serving=ready)

    async def leave(self) -> None:
        """Says NOT_SERVING under every name but `liveness`, for good, and lets those who watch hear it."""
        self._has_left = True
        self._say(ready=False)
        await asyncio.sleep(0)
