"""What happens round every RPC: tracing and logging, shedding, the deadline, who may call."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import grpc
from google.protobuf.message import Message
from opentelemetry.trace import Span

from chassis import break_glass
from chassis.accesses import note_caller
from chassis.admission import Admission
from chassis.context import TICKET, Caller, acting_as, time_limit
from chassis.logs import note_bug
from chassis.metrics import exemplar, open_calls, retried_calls, server_calls
from chassis.policy import CLOSED, Policy, Scope
from chassis.rpc_errors import failure_of
from chassis.telemetry import context_from, note_error, server_span
from chassis.tokens import Verifier
from kernel.errors import DeadlineTooShort, PermissionDenied, Unauthenticated

access_log = logging.getLogger("telemed.access")

# The statuses that count as the server's own failure (OpenTelemetry semantic conventions for gRPC, server spans).
_SERVER_ERRORS = frozenset(
    {"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"},
)
# Set by grpc on what it sends again (gRFC A6).
PREVIOUS_ATTEMPTS = "grpc-previous-rpc-attempts"
_DEFAULT_SECONDS = 15.0
_SHAVE_SECONDS = 0.020
_LEAST_SECONDS = 0.100
_NOTABLE_WAIT_SECONDS = 0.001
_NEVER = float("inf")

Context = grpc.aio.ServicerContext[Any, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One RPC under way. `method` is `package.Service/Method`; `streams` says whether the answer is a stream."""

    method: str
    streams: bool
    metadata: Mapping[str, str]
    time_remaining: float | None
    request: Message
    context: Context


# What a layer is put round: the layers inside of it and, in the middle, the RPC itself. It is awaited once or, by a
# layer that refuses the call, never.
Inside = Callable[[Call], Awaitable[Any]]
Layer = Callable[[Inside, Call], Awaitable[Any]]


def within(layers: Sequence[Layer], rpc: Inside) -> Inside:
    """An RPC with layers round it, the first of them outermost."""
    for layer in reversed(layers):
        rpc = partial(layer, rpc)
    return rpc


async def traced(inside: Inside, call: Call) -> Any:
    """A SERVER span, one log line and one observation, with the status that the caller gets."""
    started = time.perf_counter()
    if PREVIOUS_ATTEMPTS in call.metadata:
        retried_calls.labels(call.method).inc()
    in_hand = open_calls.labels(call.method)
    in_hand.inc()
    attributes = {"rpc.system.name": "grpc", "rpc.method": call.method}
    with server_span(call.method, context_from(call.metadata), attributes, lasts=call.streams) as span:
        code, reason = "OK", ""
        try:
            return await inside(call)
        except BaseException as error:
            code, reason = _note_failure(call, error, time.perf_counter() - started)
            raise
        finally:
            in_hand.dec()
            _finish(span, code)
            seconds = time.perf_counter() - started
            server_calls.labels(call.method, code).observe(seconds, exemplar())
            access_log.info(
                "rpc",
                extra={
                    "rpc_method": call.method,
                    "rpc_status": code,
                    "duration_ms": round(seconds * 1000, 1),
                    **({"reason": reason} if reason else {}),
                },
            )


def _note_failure(call: Call, error: BaseException, seconds: float) -> tuple[str, str]:
    if isinstance(error, asyncio.CancelledError) and (call.time_remaining or _NEVER) <= seconds + _SHAVE_SECONDS:
        # The caller's deadline ends a stream in the same way as its leaving.
        return "DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED"
    failure = failure_of(error)
    if failure.is_bug:
        note_bug(error, rpc_method=call.method)
    return failure.code_name, failure.reason


def _finish(span: Span, code: str) -> None:
    span.set_attribute("rpc.response.status_code", code)
    if code in _SERVER_ERRORS:
        note_error(span, code)


@dataclass(frozen=True, slots=True)
class Shedding:
    """Lets a call in when there is a place for it, see Admission; streams wait rather than work and are exempt."""

    admission: Admission

    async def __call__(self, inside: Inside, call: Call) -> Any:
        """The layer."""
        if call.streams:
            return await inside(call)
        remaining = _DEFAULT_SECONDS if call.time_remaining is None else call.time_remaining
        came = time.monotonic()
        # Who has waited for half of their time is not likely to be answered within the rest.
        place = await self.admission.enter(remaining / 2)
        if call.time_remaining is not None and (waited := time.monotonic() - came) > _NOTABLE_WAIT_SECONDS:
            call = replace(call, time_remaining=call.time_remaining - waited)
        with place.held(call.method):
            return await inside(call)


async def limited_in_time(inside: Inside, call: Call) -> Any:
    """Gives every unary call a deadline a little before the caller's own, so that the answer can still say so."""
    if call.streams:
        with time_limit(call.time_remaining):
            return await inside(call)
    remaining = _DEFAULT_SECONDS if call.time_remaining is None else call.time_remaining - _SHAVE_SECONDS
    if remaining < _LEAST_SECONDS:
        raise DeadlineTooShort("less than 120 ms are left until the deadline")
    with time_limit(remaining):
        async with asyncio.timeout(remaining):
            return await inside(call)


# Whom a ticket speaks for; None for one that is not good (any more).
Redeem = Callable[[str], Awaitable[Caller | None]]


@dataclass(frozen=True, slots=True)
class Authentication:
    """Lets in who holds a good token of a role that the method is open to; a method in no row is closed to all.

    The methods in `by_ticket` take a single-use ticket as well, for browsers that cannot send a token. On whose objects
    the role may call is obeyed by the use cases; who breaks the glass is told to them as the caller's purpose.
    """

    verifier: Verifier
    policy: Policy
    by_ticket: Mapping[str, Redeem] = field(default_factory=dict)

    async def __call__(self, inside: Inside, call: Call) -> Any:
        """The layer."""
        caller = await self._caller(call)
        note_caller(caller)
        rule = self.policy.get(call.method, CLOSED)
        if rule.scope(caller.role) is Scope.NONE:
            raise PermissionDenied(f"the role {caller.role} may not call {call.method}")
        if (words := call.metadata.get(break_glass.METADATA)) is not None:
            break_glass.require_may_break(caller, rule)
            caller = replace(caller, purpose_reason=break_glass.decoded(words))
            note_caller(caller)
            break_glass.sound_the_alarm(caller, call.method)
        with acting_as(caller):
            return await inside(call)

    async def _caller(self, call: Call) -> Caller:
        scheme, _, token = call.metadata.get("authorization", "").partition(" ")
        redeem = self.by_ticket.get(call.method)
        if scheme.lower() == TICKET.lower() and redeem is not None:
            caller = await redeem(token.strip())
            if caller is None:
                raise Unauthenticated("the ticket is unknown, was used or has run out: ask for another one")
            return caller
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("send the metadata authorization: Bearer <token>")
        return await self.verifier.verify(token.strip())


def call_of(method: str, request: Message, context: Context, *, streams: bool) -> Call:
    """What the layers know of a call that grpc hands over."""
    metadata = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
    return Call(method.removeprefix("/"), streams, metadata, context.time_remaining(), request, context)
