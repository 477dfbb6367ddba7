"""Calls of Cloudflare's HTTPS APIs: one span each, errors by status, and a second try only where it does no harm."""

import asyncio
import logging
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
import orjson
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from prometheus_client import Histogram

from chassis.admission import waiting_for_others
from chassis.clock import system_clock
from chassis.context import remaining_seconds
from chassis.metrics import REGISTRY, SECONDS, exemplar
from chassis.telemetry import tracer
from video_svc.app.media_errors import MediaError, MediaErrorKind
from video_svc.domain.media import ProviderHealth
from video_svc.peers.breaker import Breaker
from video_svc.peers.cloudflare_errors import code_of, kind_of_code, kind_of_status, retry_after

PROVIDER = "cloudflare"
BREAKER_OPEN = "breaker_open"
_ATTEMPTS = 3
_CONNECT_SECONDS = 3.0
# Kept out of the caller's deadline for what we still do once the provider has answered.
_SPARE_SECONDS = 0.1
# The provider hangs up on a connection that was idle for minutes. We are the first to, so that none dies under a call.
_LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=30.0)
# Of such a request nothing was sent, so it has done nothing.
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)

_calls = Histogram(
    "telemed_video_provider_call_duration_seconds",
    "How long calls to a provider of media or relays took, their retries included.",
    ["video_provider", "video_operation", "error_type"],
    buckets=SECONDS,
    registry=REGISTRY,
)


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of an API. `repeatable`: doing it twice is as good as once, so an open outcome does not matter."""

    name: str
    method: str
    repeatable: bool


class CloudflareHttp:
    """One API, by one bearer token. A call that fails raises MediaError and nothing else.

    UNAVAILABLE says here that a repeat does no harm, OUTCOME_UNKNOWN that the provider may have done what was asked.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        breaker: Breaker,
        *,
        timeout_seconds: float = 10.0,
        first_pause_seconds: float = 0.25,
    ) -> None:
        # Their records tell whole URLs, which hold session ids and the names of TURN credentials.
        for name in ("httpx", "httpcore"):
            logging.getLogger(name).setLevel(logging.WARNING)
        headers = {"authorization": f"Bearer {token}", "accept": "application/json"}
        self._client = httpx.AsyncClient(base_url=base_url, headers=headers, limits=_LIMITS)
        self._breaker = breaker
        self._timeout_seconds = timeout_seconds
        self._first_pause_seconds = first_pause_seconds
        self._last_success: datetime | None = None
        self._last_error = ""

    async def call(self, operation: Operation, path: str, body: object = None) -> Any:
        """The JSON of the answer, None where it is empty. Up to three attempts, within the caller's deadline."""
        with _observed(operation) as span:
            for attempt in range(1, _ATTEMPTS + 1):
                try:
                    return await self._once(operation, path, body, span)
                except MediaError as error:
                    self._last_error = error.kind.value
                    pause = self._pause(attempt, error)
                    if attempt == _ATTEMPTS or pause is None or pause >= self._seconds_left():
                        raise
                    span.set_attribute("http.request.resend_count", attempt)
                    with waiting_for_others():
                        await asyncio.sleep(pause)
        raise AssertionError("the last attempt returns or raises")

    def health(self) -> ProviderHealth:
        """What was seen of the last real calls; nothing is asked for it."""
        return ProviderHealth(
            PROVIDER, is_configured=True, last_success=self._last_success, last_error=self._last_error
        )

    async def close(self) -> None:
        """Lets go of the connections."""
        await self._client.aclose()

    async def _once(self, operation: Operation, path: str, body: object, span: Span) -> Any:
        if not self._breaker.lets_through(time.monotonic()):
            raise MediaError(MediaErrorKind.UNAVAILABLE, code=BREAKER_OPEN)
        open_end = MediaErrorKind.UNAVAILABLE if operation.repeatable else MediaErrorKind.OUTCOME_UNKNOWN
        try:
            response = await self._send(operation.method, path, body)
        except (httpx.HTTPError, TimeoutError) as error:
            self._breaker.failed(time.monotonic())
            kind = MediaErrorKind.UNAVAILABLE if isinstance(error, _NEVER_SENT) else open_end
            raise MediaError(kind, code=type(error).__name__) from None
        span.set_attribute("http.response.status_code", response.status_code)
        return self._read(response, open_end)

    async def _send(self, method: str, path: str, body: object) -> httpx.Response:
        left = self._seconds_left()
        content = None if body is None else orjson.dumps(body)
        headers = {} if body is None else {"content-type": "application/json"}
        timeout = httpx.Timeout(left, connect=min(_CONNECT_SECONDS, left))
        # httpx limits each read; an answer that trickles in is limited as a whole.
        with waiting_for_others():
            async with asyncio.timeout(left):
                return await self._client.request(method, path, content=content, headers=headers, timeout=timeout)

    def _read(self, response: httpx.Response, open_end: MediaErrorKind) -> Any:
        """What an answer says. Raises MediaError for a refusal, and for an answer that cannot be read."""
        answer, is_readable = _json(response)
        code = code_of(answer)
        if response.is_success and is_readable and not code:
            self._breaker.succeeded()
            self._last_success, self._last_error = system_clock(), ""
            return answer
        kind = kind_of_code(code) if response.is_success else kind_of_status(response.status_code, code)
        if kind is None:
            self._breaker.failed(time.monotonic())
        else:
            self._breaker.succeeded()
        delay = retry_after(response.headers)
        raise MediaError(kind or open_end, status=response.status_code, code=code, retry_after_seconds=delay)

    def _pause(self, attempt: int, error: MediaError) -> float | None:
        """Seconds until the next attempt; None where there must be none."""
        may_repeat = error.kind in (MediaErrorKind.UNAVAILABLE, MediaErrorKind.THROTTLED)
        if not may_repeat or error.code == BREAKER_OPEN:
            return None
        if error.retry_after_seconds is not None:
            return error.retry_after_seconds
        spread = random.uniform(0.8, 1.2)  # noqa: S311 - spreads load, guards nothing
        return self._first_pause_seconds * 2.0 ** (attempt - 1) * spread

    def _seconds_left(self) -> float:
        remaining = remaining_seconds()
        if remaining is None:
            return self._timeout_seconds
        return max(0.001, min(self._timeout_seconds, remaining - _SPARE_SECONDS))


@contextmanager
def _observed(operation: Operation) -> Iterator[Span]:
    """A span without the address, which holds ids, and a measurement; a failure is told by its kind alone."""
    started, error_type = time.monotonic(), ""
    attributes = {
        "video.provider": PROVIDER,
        "video.operation": operation.name,
        "http.request.method": operation.method,
    }
    with tracer().start_as_current_span(
        f"{PROVIDER} {operation.name}",
        kind=SpanKind.CLIENT,
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield span
        except MediaError as error:
            error_type = error.kind.value
            span.set_attribute("error.type", error_type)
            span.set_status(Status(StatusCode.ERROR))
            raise
        finally:
            taken = time.monotonic() - started
            _calls.labels(PROVIDER, operation.name, error_type).observe(taken, exemplar=exemplar())


def _json(response: httpx.Response) -> tuple[Any, bool]:
    """The body of an answer, and whether it could be read; an empty one can."""
    if not response.content:
        return None, True
    try:
        return orjson.loads(response.content), True
    except orjson.JSONDecodeError:
        return None, False
