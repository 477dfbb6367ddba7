"""Calls to other services: one channel each, with identity, deadline, trace context, retries and typed errors."""

import json
import re
import time
from collections.abc import AsyncIterator, Callable
from typing import TypeAlias, TypeVar

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from opentelemetry.trace import Span

from chassis import break_glass
from chassis.context import ATTEMPTS_TRAILER, TICKET, caller_or_none, remaining_seconds
from chassis.metrics import client_retries, exemplar, labelled_client_call
from chassis.rpc_errors import refusal_from
from chassis.telemetry import Attributes, client_span, detached_client_span, inject, note_error
from chassis.tls_channel import TlsChannel
from chassis.tls_files import PLAIN, TlsFiles
from kernel.errors import DeadlineTooShort

Reply = TypeVar("Reply", bound=Message)
Token = Callable[[], str]
_UnaryCall: TypeAlias = "grpc.aio.UnaryUnaryMultiCallable[Message, Message]"

_AUTHORIZATION = "authorization"
# How gRPC writes the ways to resolve a name (its "name syntax"); without one it is a name for DNS.
_SCHEME = re.compile(r"^(?:dns:(?://[^/]*/)?|ipv[46]:|unix:(?://)?)")
_DEFAULT_SECONDS = 10.0
_SHAVE_SECONDS = 0.020
# UNAVAILABLE alone is retried: by contract it means that a retry is safe. The token bucket keeps a dead backend
# from being hammered (gRFC A6).
_SERVICE_CONFIG = json.dumps(
    {
        "loadBalancingConfig": [{"round_robin": {}}],
        "healthCheckConfig": {"serviceName": ""},
        "methodConfig": [
            {
                "name": [{}],
                "retryPolicy": {
                    "maxAttempts": 4,
                    "initialBackoff": "0.1s",
                    "maxBackoff": "1s",
                    "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            }
        ],
        "retryThrottling": {"maxTokens": 50, "tokenRatio": 0.2},
    }
)
_OPTIONS = [
    ("grpc.service_config", _SERVICE_CONFIG),
    ("grpc.max_receive_message_length", 4 * 1024 * 1024),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # Names are looked up when a connection has ended. Half a minute, as it is unless said, may be long after the last
    # replica of those that were known has been replaced.
    ("grpc.dns_min_time_between_resolutions_ms", 1_000),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    # In spite of its name this is how long a connection may take to come about, 20 s unless said: a peer that is busy
    # needs time for it, and one that is gone for good must not hold us up for long.
    ("grpc.min_reconnect_backoff_ms", 5_000),
]


def open_channel(target: str, tls: TlsFiles = PLAIN) -> grpc.aio.Channel:
    """A channel that balances over all addresses of a target and shuns those that say NOT_SERVING.

    Over TLS when `tls` says whom to trust. Raises ValueError when its files cannot be used.
    """
    if tls.root_certificates is None:
        return grpc.aio.insecure_channel(target, options=_OPTIONS)
    if "," in target:
        # grpc would look for the whole list as a name in each certificate, and find it in none.
        raise ValueError(f"over TLS the replicas of a service need one name, such as dns:///doctor:3002, not {target}")
    return TlsChannel(target, tls, _OPTIONS)


def caller_token() -> str:
    """The token of the call that we are serving: the next service decides for the same person."""
    caller = caller_or_none()
    return caller.token if caller else ""


class Client:
    """Calls the RPCs of one channel. Errors are kernel.errors.Refusal, passed on as the service gave them.

    `target` is the channel's, for spans to name.
    """

    def __init__(self, channel: grpc.aio.Channel, token: Token = caller_token, *, target: str) -> None:
        self._channel = channel
        self._token = token
        self._server = server_attributes(target)
        self._unary: dict[str, tuple[_UnaryCall, Attributes]] = {}

    async def unary(self, method: MethodDescriptor, request: Message, reply: type[Reply]) -> Reply:
        """The answer of a unary RPC, within the running call's deadline less 20 ms, or 10 s without one."""
        name = rpc_name(method)
        known = self._unary.get(name)
        if known is None:
            multi_callable: _UnaryCall = self._channel.unary_unary(
                f"/{name}",
                request_serializer=type(request).SerializeToString,
                response_deserializer=reply.FromString,
            )
            known = self._unary[name] = multi_callable, self._attributes(name)
        call, attributes = known
        timeout = _timeout()
        started, code = time.perf_counter(), "CANCELLED"
        with client_span(name, attributes) as span:
            try:
                running = call(request, timeout=timeout, metadata=self.metadata(), wait_for_ready=False)
                answer = await running
                code = "OK"
                _count_retries(name, await running.trailing_metadata())
            except grpc.aio.AioRpcError as error:
                code = error.code().name
                raise refusal_from(error) from None
            finally:
                _note(span, code)
                labelled_client_call(name, code).observe(time.perf_counter() - started, exemplar())
        return answer  # type: ignore[return-value]  # the deserializer above makes it a Reply

    async def stream(
        self, method: MethodDescriptor, request: Message, reply: type[Reply], *, ticket: str = ""
    ) -> AsyncIterator[Reply]:
        """The answers of a server-streaming RPC, without a deadline; ends or raises with the stream.

        A `ticket` speaks for its holder in place of a token.
        """
        name = rpc_name(method)
        started, code = time.perf_counter(), "CANCELLED"
        span = detached_client_span(name, self._attributes(name))
        metadata = self.metadata(span)
        if ticket:
            metadata = [*((key, value) for key, value in metadata if key != _AUTHORIZATION), by_ticket(ticket)]
        call = self._channel.unary_stream(
            f"/{name}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=reply.FromString,
        )(request, metadata=metadata)
        try:
            async for answer in call:
                yield answer
            code = "OK"
        except grpc.aio.AioRpcError as error:
            code = error.code().name
            raise refusal_from(error) from None
        finally:
            call.cancel()
            _note(span, code)
            span.end()
            labelled_client_call(name, code).observe(time.perf_counter() - started, exemplar())

    def _attributes(self, name: str) -> Attributes:
        return {"rpc.system.name": "grpc", "rpc.method": name, **self._server}

    def metadata(self, span: Span | None = None) -> list[tuple[str, str]]:
        """The metadata of a call made now: who we speak for, why they break the glass, and the span it is of.

        Without a `span` that is the current one.
        """
        carrier: dict[str, str] = {}
        inject(carrier, span)
        if token := self._token():
            carrier[_AUTHORIZATION] = f"Bearer {token}"
        caller = caller_or_none()
        # A service that speaks for itself has no share in what a caller of its own is allowed.
        if caller is not None and caller.purpose_reason and caller.token == token:
            carrier[break_glass.METADATA] = break_glass.encoded(caller.purpose_reason)
        return list(carrier.items())


def by_ticket(ticket: str) -> tuple[str, str]:
    """The metadata by which a single-use ticket takes the place of a token."""
    return _AUTHORIZATION, f"{TICKET} {ticket}"


def server_attributes(target: str) -> Attributes:
    """Where a channel's calls go, as the conventions name it: one address with its port, or several as they stand."""
    address = _SCHEME.sub("", target)
    host, _, port = address.rpartition(":")
    if "," in address or not port.isdecimal():
        return {"server.address": address}
    return {"server.address": host.strip("[]"), "server.port": int(port)}


def rpc_name(method: MethodDescriptor) -> str:
    """`package.Service/Method`, as gRPC and the tracing conventions write it."""
    return f"{method.containing_service.full_name}/{method.name}"


def reply_class(method: MethodDescriptor) -> type[Message]:
    """The generated class of an RPC's answer."""
    return GetMessageClass(method.output_type)


def _timeout() -> float:
    remaining = remaining_seconds()
    if remaining is None:
        return _DEFAULT_SECONDS
    if remaining <= _SHAVE_SECONDS:
        raise DeadlineTooShort("no time is left for a further call")
    return remaining - _SHAVE_SECONDS


def _count_retries(name: str, trailers: grpc.aio.Metadata | None) -> None:
    attempts = trailers.get(ATTEMPTS_TRAILER) if trailers else None
    if isinstance(attempts, str) and attempts.isdigit():
        client_retries.labels(name).inc(int(attempts))


def _note(span: Span, code: str) -> None:
    span.set_attribute("rpc.response.status_code", code)
    if code != "OK":
        note_error(span, code)
