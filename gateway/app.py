"""The ASGI application: finds the RPC of a request, makes its message, calls, and answers in JSON."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import cast

import orjson
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import Message

from chassis import break_glass
from chassis.admission import Admission
from chassis.client import Client
from chassis.context import Caller, Role, acting_as, time_limit
from chassis.limit import AdaptiveLimit
from chassis.logs import note_bug
from chassis.tokens import Verifier
from gateway.codec.decode import Decoder
from gateway.codec.encode import Encoder
from gateway.codec.errors import BadValue
from gateway.cors import Cors
from gateway.http import (
    Answer,
    BodyLimits,
    ClientGone,
    HttpRefusal,
    Receive,
    Request,
    Scope,
    Send,
    check_head,
    read_json_body,
)
from gateway.limits.guard import RateGuard
from gateway.numbers import shed
from gateway.observe import REQUEST_ID, Exchange, observed
from gateway.openapi.document import document_of
from gateway.openapi.page import page_of
from gateway.pages import Page, Pages
from gateway.problems import Problem, problem_of
from gateway.routes import Found, RouteTable, bindings_of
from gateway.stream import EventStream, StreamLimits
from gateway.tickets import split_ticket
from gateway.transcode import Transcoder
from gateway.upstreams import Upstreams
from gateway.visit_page import VisitPage
from kernel.errors import BreakGlassRefused, Overloaded, PermissionDenied, Unauthenticated

# Where the generated contracts are installed.
CONTRACTS = "telemed"
_COMMON = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "strict-transport-security": "max-age=63072000; includeSubDomains",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
# The client's next request comes by a connection that somebody will answer.
_LAST_ANSWER = {"connection": "close"}


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a request may hold and how long it may take; seconds and bytes."""

    body: BodyLimits
    stream: StreamLimits
    call_seconds: float
    rates: RateGuard
    cors: Cors = field(default_factory=lambda: Cors(frozenset()))
    in_flight: int = 2_000
    least_in_flight: int = 16
    burst_in_flight: int = 512


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One binding, ready to be called."""

    transcoder: Transcoder
    client: Client
    admission: Admission


class Gateway:
    """Serves every annotated RPC of the services that it is given; raises ValueError for one that it cannot."""

    def __init__(
        self,
        services: Sequence[ServiceDescriptor],
        upstreams: Upstreams,
        verifier: Verifier,
        limits: Limits,
        *,
        continues_traces: bool = False,
        ops_url: str = "",
    ) -> None:
        self.stopping = asyncio.Event()
        self._in_flight = 0
        self._verifier = verifier
        self._limits = limits
        self._continues_traces = continues_traces
        self._encoder = Encoder()
        decoder = Decoder()
        bindings = [(one, upstreams.client_for(service)) for service in services for one in bindings_of(service)]
        # One for each service: those who wait for a slow one keep nobody from the others.
        admissions: dict[Client, Admission] = defaultdict(lambda: _admission(limits))
        self._table = RouteTable(
            (binding, Endpoint(Transcoder(binding, self._encoder, decoder), client, admissions[client]))
            for binding, client in bindings
        )
        served = [binding for binding, _ in bindings]
        document = document_of(served, CONTRACTS)
        described = orjson.dumps(document), page_of(document).encode()
        self._pages = Pages(served, *described, upstreams.states, self.stopping, VisitPage(), ops_url)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one HTTP request."""
        if scope["type"] != "http":
            raise ValueError(f"{scope['type']} is not served here")
        request = Request.of(scope, receive)
        with observed(request, continues=self._continues_traces) as exchange:
            common = {REQUEST_ID: exchange.request_id, **_COMMON, **self._limits.cors.headers(request)}
            if self.stopping.is_set():
                common |= _LAST_ANSWER
            self._in_flight += 1
            try:
                answer = await self._answer(request, exchange)
            except ClientGone:
                return
            finally:
                self._in_flight -= 1
            exchange.status = answer.status if isinstance(answer, Answer) else HTTPStatus.OK
            await answer.send(request, send, {**common, **exchange.headers})

    async def _answer(self, request: Request, exchange: Exchange) -> Answer | EventStream:
        body_field = ""
        try:
            check_head(request)
            page = self._pages.find(request.path)
            if page is not None:
                return await self._show(*page, request, exchange)
            self._shed()
            await self._limits.rates.check_address(request)
            found = self._table.find(request.path)
            if found and (preflight := self._limits.cors.preflight(request, found.targets)):
                return preflight
            endpoint, found = self._endpoint(request, found)
            binding = endpoint.transcoder.binding
            exchange.routed_to(binding.template.text, request.method)
            body_field = binding.body
            ticket, request = split_ticket(request) if binding.method.server_streaming else ("", request)
            # A ticket is for the service that made it: it alone knows whom it speaks for.
            caller = None if ticket else await self._authenticate(request.headers)
            if caller is not None:
                exchange.headers |= await self._limits.rates.check_user(caller.actor)
            caller = _explained(caller, request)
            with acting_as(caller), time_limit(self._limits.call_seconds):
                return await self._call(endpoint, found, request, exchange, ticket)
        except ClientGone:
            raise
        except Exception as error:  # noqa: BLE001 - the edge where every exception becomes a problem
            return self._problem(error, exchange, body_field).answer(request.path, exchange.trace_id)

    def _shed(self) -> None:
        if self._in_flight > self._limits.in_flight:
            shed.inc()
            raise Overloaded("too many requests at once", retry_after_seconds=1.0)

    async def _show(self, route: str, page: Page, request: Request, exchange: Exchange) -> Answer:
        if request.method != "GET":
            raise _not_allowed(["GET"])
        exchange.routed_to(route, request.method)
        return await page()

    def _endpoint(self, request: Request, found: Found[Endpoint] | None) -> tuple[Endpoint, Found[Endpoint]]:
        if found is None:
            raise HttpRefusal(HTTPStatus.NOT_FOUND, "ROUTE_NOT_FOUND", "there is nothing at this path")
        endpoint = found.target(request.method)
        if endpoint is None:
            raise _not_allowed(found.targets)
        return endpoint, found

    async def _authenticate(self, headers: Mapping[str, str]) -> Caller:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unauthenticated("send the header Authorization: Bearer <token>")
        caller = await self._verifier.verify(token.strip())
        if caller.role is Role.SERVICE:
            # They may read everything, and none of them has a reason to come in by the front door.
            raise PermissionDenied("services call each other by gRPC: their tokens are not taken here")
        return caller

    async def _call(
        self, endpoint: Endpoint, found: Found[Endpoint], request: Request, exchange: Exchange, ticket: str
    ) -> Answer | EventStream:
        transcoder = endpoint.transcoder
        if not transcoder.takes_body and request.announces_body:
            raise BadValue("this request takes no body").refusal()
        body = await read_json_body(request, self._limits.body) if transcoder.takes_body else b""
        try:
            message = transcoder.request(found, request.query, request.headers, body)
        except BadValue as error:
            raise error.refusal() from None
        method, reply_class = transcoder.binding.method, transcoder.reply_class
        if not method.server_streaming:
            # Now that its body is here: until then a request waits for its client, and is no work.
            place = await endpoint.admission.enter(self._limits.call_seconds / 2)
            with place.held(exchange.route):
                reply = await endpoint.client.unary(method, message, reply_class)
            tag = transcoder.entity_tag(reply)
            return Answer(HTTPStatus.OK, transcoder.reply(reply), headers={"etag": tag} if tag else {})
        stream = EventStream(
            cast("AsyncGenerator[Message]", endpoint.client.stream(method, message, reply_class, ticket=ticket)),
            transcoder,
            self._limits.stream,
            self.stopping,
            lambda error: self._broken(error, exchange).document(request.path, exchange.trace_id),
        )
        await stream.open()
        return stream

    def _broken(self, error: Exception, exchange: Exchange) -> Problem:
        problem = self._problem(error, exchange, "")
        exchange.broken_by = problem.status
        return problem

    def _problem(self, error: Exception, exchange: Exchange, body_field: str) -> Problem:
        problem, is_bug = problem_of(error, self._encoder, body_field)
        exchange.error_type = type(error).__name__ if is_bug else problem.reason
        if is_bug:
            note_bug(error)
        return problem


def _admission(limits: Limits) -> Admission:
    return Admission(AdaptiveLimit(limits.least_in_flight, limits.in_flight), limits.burst_in_flight)


def _explained(caller: Caller | None, request: Request) -> Caller | None:
    """The caller with what they say why they break the glass; whether they may, the service decides."""
    words = request.headers.get(break_glass.METADATA)
    if words is None:
        return caller
    if caller is None:
        raise BreakGlassRefused("a ticket does not break the glass")
    return replace(caller, purpose_reason=break_glass.decoded(words))


def _not_allowed(allowed: Sequence[str] | Mapping[str, object]) -> HttpRefusal:
    verbs = ", ".join(sorted(allowed))
    return HttpRefusal(
        HTTPStatus.METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", f"this path answers {verbs}", headers={"allow": verbs}
    )
