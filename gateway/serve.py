"""The HTTP server's life: listen, serve, and a stop that lets running requests finish."""

import asyncio
import logging
import resource
import signal
import socket
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager

import uvicorn

from gateway.app import Gateway
from gateway.connections import Connections
from gateway.edge import BoundedProtocol
from gateway.settings import GatewaySettings

logger = logging.getLogger(__name__)
# The application answers a slow body first, with a problem; then the connection is cut.
_BODY_MARGIN_SECONDS = 2.0
_BACKLOG = 2048
# Channels to services, logs, libraries.
_OTHER_FILES = 256
_LOOK_SECONDS = 0.05


class HttpServer(uvicorn.Server):
    """uvicorn's server without its signal handling, which would end the process before the last spans are sent."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leaves signals to the process."""
        yield


def http_server(gateway: Gateway, settings: GatewaySettings) -> HttpServer:
    """A server for the application, with the limits of the settings."""
    limits = {
        "header_seconds": settings.header_seconds,
        "body_seconds": settings.body_seconds + _BODY_MARGIN_SECONDS,
        "write_seconds": settings.write_seconds,
        "counted": Connections(
            settings.max_connections, 0 if settings.trusted_proxies else settings.max_connections_per_address
        ),
    }
    limited = type("LimitedProtocol", (BoundedProtocol,), limits)
    return HttpServer(
        uvicorn.Config(
            gateway,
            loop="none",
            http=limited,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=settings.keep_alive_seconds,
            timeout_graceful_shutdown=settings.grace_seconds,
        )
    )


async def serve_until_told(gateway: Gateway, settings: GatewaySettings) -> None:
    """Serves until SIGTERM or SIGINT: then says so in /readyz, waits for balancers, and finishes what runs.

    Who asks meanwhile is answered and told to come by another connection next time. A socket that was passed on is
    left to the others at once: what waits there is theirs, or our successor's. Raises OSError when the address is
    taken.
    """
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    server = http_server(gateway, settings)
    _allow_files(settings.max_connections + _OTHER_FILES)
    with ExitStack() as opened:
        listening = [opened.enter_context(one) for one in _listeners(settings)]
        logger.info("listening", extra={"port": listening[0].getsockname()[1]})
        await _serve(server, listening, gateway, told, settings)


def _listeners(settings: GatewaySettings) -> list[socket.socket]:
    if settings.listen_fd is None:
        return [listener(settings.host, settings.port)]
    passed_on = socket.socket(fileno=settings.listen_fd)
    if passed_on.getsockname()[1] == settings.port:
        return [passed_on]
    return [passed_on, listener(settings.host, settings.port)]


def _allow_files(count: int) -> None:
    """Lets this process open so many files: a connection that finds none left would stop all new ones for a while."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= count:
        return
    allowed = count if hard == resource.RLIM_INFINITY else min(count, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed < count:
        logger.warning("too few open files for GATEWAY_MAX_CONNECTIONS", extra={"allowed": allowed, "needed": count})


def listener(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises OSError when it cannot; uvicorn's own way is to exit."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=_BACKLOG)


async def _serve(
    server: HttpServer,
    listening: list[socket.socket],
    gateway: Gateway,
    told: asyncio.Event,
    settings: GatewaySettings,
) -> None:
    serving = asyncio.create_task(server.serve(listening))
    waiting = asyncio.create_task(told.wait())
    await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
    if not serving.done():
        logger.info("stopping")
        gateway.stopping.set()
        if settings.listen_fd is not None:
            for accepting in server.servers:
                accepting.close()
        await asyncio.sleep(settings.drain_seconds)
        if settings.listen_fd is not None:
            await _until_left(server, settings.keep_alive_seconds)
        server.should_exit = True
    waiting.cancel()
    await serving


async def _until_left(server: HttpServer, patience_seconds: float) -> None:
    """Waits until the clients have taken their next requests elsewhere.

    To close an idle connection is to lose the request that may be on its way by it. Whoever stays silent for as long
    as the patience would have been closed to anyway.
    """
    deadline = time.monotonic() + patience_seconds
    while server.server_state.connections and time.monotonic() < deadline:  # noqa: ASYNC110 - uvicorn has no event
        await asyncio.sleep(_LOOK_SECONDS)
