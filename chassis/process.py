"""The life of a gRPC process: start, ready, serve, and a stop in the order that fails no call."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import grpc

from chassis.background import Background, measure_loop
from chassis.calls import Calls
from chassis.garbage import seek_seldom
from chassis.health import Readiness
from chassis.health_pages import HealthPages
from chassis.metrics import serve_metrics
from chassis.telemetry import Telemetry

logger = logging.getLogger(__name__)
_QUIET_SECONDS = 0.3
_QUIET_PATIENCE_SECONDS = 3.0
Work = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class GrpcProcess:
    """All parts of a process, ready to run.

    `work` goes on beside the calls; `closers` run last, in order, once no call is left; `admin` is the host and port of
    `/metrics`, `/healthz` and `/readyz`. With `credentials` it speaks TLS and nothing else.
    """

    address: str
    server: grpc.aio.Server
    calls: Calls
    readiness: Readiness
    work: Sequence[tuple[str, Work]] = ()
    closers: Sequence[Work] = ()
    drain_seconds: float = 0.5
    grace_seconds: float = 10.0
    admin: tuple[str, int] | None = None
    credentials: grpc.ServerCredentials | None = None
    background: Background = field(default_factory=Background)

    async def start(self) -> int:
        """Listens and starts the work; tells the port. Raises OSError when the address is taken."""
        try:
            if self.credentials is None:
                port = self.server.add_insecure_port(self.address)
            else:
                port = self.server.add_secure_port(self.address, self.credentials)
        except RuntimeError as error:
            raise OSError(f"cannot listen on {self.address}: {error}") from error
        await self.server.start()
        self.background.start("readiness", self.readiness.watch)
        self.background.start("measure the loop", measure_loop)
        for name, work in self.work:
            self.background.start(name, work)
        return port

    async def stop(self) -> None:
        """Tells the balancers, waits for them to hear it, lets running calls finish, then lets go of everything."""
        await self.readiness.leave()
        await asyncio.sleep(self.drain_seconds)
        # Whoever is busy hears it later than that, and a call that meets the closing door may be lost. Callers who do
        # not ask for health at all are waited for no longer than this.
        if not await self.calls.left_alone(_QUIET_SECONDS, _QUIET_PATIENCE_SECONDS):
            logger.warning("callers did not turn to others")
        # From here on new calls are refused. grpc alone would wait the whole grace for streams that never end, those
        # of health watchers among them; so we wait for the calls that work, and then let go of the rest.
        stopping = asyncio.create_task(self.server.stop(self.grace_seconds))
        self.calls.end_streams()
        if not await self.calls.finished(self.grace_seconds):
            logger.warning("calls were cut off")
        await self.server.stop(None)
        await stopping
        await self.background.stop()
        for close in self.closers:
            await close()

    async def run_until_told(self) -> None:
        """Serves until SIGTERM or SIGINT, then stops."""
        told = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, told.set)
        page = serve_metrics(*self.admin, HealthPages(self.readiness, loop).before) if self.admin else None
        port = await self.start()
        logger.info("listening" if self.credentials is None else "listening over TLS", extra={"port": port})
        seek_seldom()
        await told.wait()
        logger.info("stopping")
        await self.stop()
        if page is not None:
            page.close()


async def run(process: GrpcProcess, telemetry: Telemetry) -> None:
    """Runs a process to its end and sends its last spans."""
    try:
        await process.run_until_told()
    finally:
        telemetry.shutdown()
