"""Builds a gRPC server: the layers round every RPC, health, reflection, and a stop that fails no call."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager, suppress
from typing import Any, NamedTuple, TypeAlias

import grpc
from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import Message
from google.rpc import status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from chassis.accesses import before_telling
from chassis.admission import refusal
from chassis.calls import Calls
from chassis.context import ATTEMPTS_TRAILER
from chassis.health import HealthServicer
from chassis.layers import PREVIOUS_ATTEMPTS, Call, Context, Layer, call_of, within
from chassis.metrics import server_calls
from chassis.rpc_errors import DetailRenderer, NoSuchMethodError, failure_of, no_details
from kernel.errors import Unavailable

_MAX_MESSAGE_BYTES = 1024 * 1024
_OPTIONS = [
    # Two processes on one port must be an error, not a silent split of the traffic.
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
    # Both ends of our channels agree on keepalive (see client.py); without it pings end in GOAWAY.
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
]
_LEAST_UNREAD = 16
_STATUS_DETAILS = "grpc-status-details-bin"
_CODES = {code.value[0]: code for code in grpc.StatusCode}
_INFRASTRUCTURE = "/grpc."
_HEALTH = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name
# What the conventions call a method that is not of the contract; its own name is the caller's choice, without bound.
_UNKNOWN = "_OTHER"

# grpc's own classes are generic in their stubs only.
RpcHandler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Handler = Callable[[Message, Context], Any]


class _LayeredInterceptor(grpc.aio.ServerInterceptor):
    """Puts the layers round each handler, once per method; health and reflection pass untouched."""

    def __init__(
        self, layers: Sequence[Layer], render: DetailRenderer, calls: Calls, must_refuse: Callable[[], bool]
    ) -> None:
        self._layers = layers
        self._must_refuse = must_refuse
        # As a stream, since nobody then waits for the request to arrive.
        self._shed: RpcHandler = grpc.stream_stream_rpc_method_handler(self._refuse_at_once)
        self._overload = _ending(failure_of(refusal(), no_details).status)
        self._calls = calls
        self._render = render
        self._wrapped: dict[str, RpcHandler] = {}
        self._unknown: RpcHandler = grpc.unary_unary_rpc_method_handler(self._refuse_unknown)

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[RpcHandler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> RpcHandler | None:
        method = handler_call_details.method
        found = self._wrapped.get(method)
        if found is None:
            found = await continuation(handler_call_details)
            if method.startswith(_INFRASTRUCTURE):
                return found
            if found is None:
                return self._unknown
            found = self._wrapped[method] = self._wrap(method, found)
        if not found.response_streaming and self._must_refuse():
            # Before the layers: what is refused by the thousand must cost next to nothing.
            server_calls.labels(method.removeprefix("/"), grpc.StatusCode.RESOURCE_EXHAUSTED.name).observe(0)
            return self._shed
        return found

    def _wrap(self, method: str, handler: RpcHandler) -> RpcHandler:
        behavior: Any = handler.unary_stream if handler.response_streaming else handler.unary_unary
        coders: dict[str, Any] = {
            "request_deserializer": handler.request_deserializer,
            "response_serializer": handler.response_serializer,
        }
        if handler.request_streaming:
            raise NotImplementedError(f"{method}: no contract of ours streams requests")
        if handler.response_streaming:
            return grpc.unary_stream_rpc_method_handler(self._streaming(method, behavior), **coders)
        return grpc.unary_unary_rpc_method_handler(self._unary(method, behavior), **coders)

    def _unary(self, method: str, behavior: Handler) -> Handler:
        async def answer(call: Call) -> Any:
            return await behavior(call.request, call.context)

        answered = within(self._layers, answer)

        async def handle(request: Message, context: Context) -> Any:
            try:
                with self._calls.unary():
                    call = call_of(method, request, context, streams=False)
                    if (attempts := call.metadata.get(PREVIOUS_ATTEMPTS)) is not None:
                        context.set_trailing_metadata(((ATTEMPTS_TRAILER, attempts),))
                    return await answered(call)
            except Exception as error:  # noqa: BLE001 - the edge where every exception becomes a status
                await self._abort(context, error)

        return handle

    def _streaming(self, method: str, behavior: Handler) -> Handler:
        # Writes rather than yields: a generator of ours would be closed by whoever finds it when the caller has gone,
        # outside of this call's context, and the layers could not be left in order.
        async def write(call: Call) -> None:
            with self._telling_why():
                async with aclosing(behavior(call.request, call.context)) as replies:
                    async for reply in replies:
                        await before_telling()
                        await call.context.write(reply)

        written = within(self._layers, write)

        async def handle(request: Message, context: Context) -> None:
            try:
                with self._calls.stream():
                    await written(call_of(method, request, context, streams=True))
            except Exception as error:  # noqa: BLE001 - the edge where every exception becomes a status
                await self._abort(context, error)

        return handle

    @contextmanager
    def _telling_why(self) -> Iterator[None]:
        # Inside of the layers, so that they note of a stream that we end what its caller is told.
        try:
            yield
        except asyncio.CancelledError:
            if not self._calls.ending:
                raise
            raise Unavailable("this process is stopping; go on with another") from None

    async def _refuse_unknown(self, _: bytes, context: Context) -> None:
        # Of the layers the outermost alone, which notes the call: whoever it is, there is nothing to shed or to guard.
        error = NoSuchMethodError()

        async def refuse(_: Call) -> None:
            raise error

        with suppress(NoSuchMethodError):
            await within(self._layers[:1], refuse)(call_of(_UNKNOWN, Empty(), context, streams=False))
        await self._abort(context, error)

    async def _refuse_at_once(self, _: object, context: Context) -> None:
        await context.abort(*self._overload)

    async def _abort(self, context: Context, error: Exception) -> None:
        await context.abort(*_ending(failure_of(error, self._render).status))


def _unread(most: int) -> list[tuple[str, int]]:
    """How many calls may wait that we have not begun to read.

    Beyond that gRPC's core ends them with CANCELLED, at next to no cost; by default it keeps thousands, who would all
    be answered late.
    """
    most = max(most, _LEAST_UNREAD)
    return [
        ("grpc.server.max_pending_requests", most),  # from here on some
        ("grpc.server.max_pending_requests_hard_limit", most + most // 4),  # and from here on all
    ]


def _ending(status: status_pb2.Status) -> tuple[grpc.StatusCode, str, tuple[tuple[str, bytes], ...]]:
    """How a status is told: code, message, trailers."""
    return _CODES[status.code], status.message, ((_STATUS_DETAILS, status.SerializeToString()),)


class BuiltServer(NamedTuple):
    """A server, its health service, and the calls that it has in hand."""

    server: grpc.aio.Server
    health: HealthServicer
    calls: Calls


def build_server(
    layers: Sequence[Layer],
    *,
    services: Sequence[str],
    render: DetailRenderer = no_details,
    must_refuse: Callable[[], bool] = lambda: False,
    most_unread: int = 256,
    connection_seconds: int = 60,
) -> BuiltServer:
    """A server with the layers, health and reflection; the servicers are added by the caller.

    `services` are the full names to publish; a unary call of theirs that comes while `must_refuse` says so is shed.
    After `connection_seconds`, give or take a tenth, a client is asked to connect anew, upon which it looks for
    replicas that have come since; calls and streams under way end on the old connection, however long they take.
    Everything is NOT_SERVING until chassis.health says otherwise.
    """
    calls = Calls()
    interceptors = [_LayeredInterceptor(layers, render, calls, must_refuse)]
    options = [*_OPTIONS, *_unread(most_unread), ("grpc.max_connection_age_ms", connection_seconds * 1000)]
    server = grpc.aio.server(interceptors=interceptors, options=options)
    health_servicer = HealthServicer(services)
    health_pb2_grpc.add_HealthServicer_to_server(health_servicer, server)
    reflection.enable_server_reflection([*services, _HEALTH, reflection.SERVICE_NAME], server)
    return BuiltServer(server, health_servicer, calls)
