"""Health by plain HTTP on the admin port, for container engines whose probes of gRPC know no TLS."""

import asyncio
from collections.abc import Iterable
from http import HTTPStatus
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import orjson

from chassis.health import Readiness

# Whoever asks waits for a second, as a rule.
_ANSWER_SECONDS = 0.8


class HealthPages:
    """`/healthz` and `/readyz`, as the gateway has them; every other path is the pages' behind them.

    A thread serves them, and asks the event loop: of a process that hangs they say so.
    """

    def __init__(self, readiness: Readiness, loop: asyncio.AbstractEventLoop) -> None:
        self._readiness = readiness
        self._loop = loop

    def before(self, others: WSGIApplication) -> WSGIApplication:
        """These pages with others behind them."""

        def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            path = environ["PATH_INFO"]
            if path not in ("/healthz", "/readyz"):
                return others(environ, start_response)
            ready = self._ask()
            good = ready is not None if path == "/healthz" else ready
            word = (
                "no answer" if ready is None else "alive" if path == "/healthz" else "ready" if ready else "not ready"
            )
            code = HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE
            start_response(f"{code.value} {code.phrase}", [("content-type", "application/json")])
            return [orjson.dumps({"status": word})]

        return answer

    def _ask(self) -> bool | None:
        """Whether the process is ready; None when its loop does not answer in time."""
        asked = asyncio.run_coroutine_threadsafe(self._is_ready(), self._loop)
        try:
            return asked.result(_ANSWER_SECONDS)
        except TimeoutError:
            asked.cancel()
            return None

    async def _is_ready(self) -> bool:
        return self._readiness.is_ready
