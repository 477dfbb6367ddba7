"""A mixed load on a whole clinic: bookings and reads of all services, through gRPC and through the gateway."""

import asyncio
import itertools
import json
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import grpc
from google.protobuf.message import Message
from google.type import date_pb2
from telemed.appointment.v1 import appointment_service_pb2 as appointments
from telemed.appointment.v1.appointment_service_pb2_grpc import AppointmentServiceStub
from telemed.doctor.v1 import doctor_service_pb2 as doctor_messages
from telemed.doctor.v1 import search_pb2
from telemed.doctor.v1.doctor_service_pb2_grpc import DoctorServiceStub
from telemed.video.v1 import video_service_pb2 as video
from telemed.video.v1.video_service_pb2_grpc import VideoServiceStub

from bench import doctors
from bench.outcomes import Outcome, Tally, told_by
from bench.running import Metadata, Running
from bench.wire import Reply, Wire
from stack.plan import HOST

_CALL_SECONDS = 10.0
_KEPT = 500
_BALANCED: dict[str, Any] = {"loadBalancingConfig": [{"round_robin": {}}]}
_HEALTHY: dict[str, Any] = {"healthCheckConfig": {"serviceName": ""}}
_RETRIED: dict[str, Any] = {
    "methodConfig": [
        {
            "name": [{}],
            "retryPolicy": {
                "maxAttempts": 5,
                "initialBackoff": "0.1s",
                "maxBackoff": "2s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ],
}
_PAUSES = (0.1, 0.2, 0.4, 0.8)
_HTTP_CODES = {200: "OK", 429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED"}


Operation = Callable[[], Awaitable[None]]


class Mix:
    """The operations, each with what it needs at hand; `tally` hears of every end."""

    def __init__(
        self,
        running: Running,
        channels: dict[str, grpc.aio.Channel],
        tally: Tally,
        call_seconds: float,
        *,
        retries: bool,
    ) -> None:
        self._appointment: Any = AppointmentServiceStub(channels["appointment"])
        self._doctor: Any = DoctorServiceStub(channels["doctor"])
        self._video: Any = VideoServiceStub(channels["video"])
        self._token = running.token()
        self._metadata: Metadata = (("authorization", f"Bearer {self._token}"),)
        self._public = running.port
        self._tally = tally
        self._seconds = call_seconds
        self._retries = retries
        self._slots = running.slots
        self._first = doctors.first_day()
        self._booked: list[tuple[str, str]] = []
        self._rng = random.Random(7)  # noqa: S311  no secret
        self._wires: list[Wire] = []

    def operations(self) -> Sequence[Operation]:
        """One of each, in the proportions of a clinic's day: more reads than bookings."""
        return [
            *(self.book, self.book_json, self.availability, self.availability_json, self.availability, self.search),
            *(self.get, self.get_json, self.list_visits, self.list_sessions, self.cancel, self.read_own),
        ]

    async def book(self) -> None:
        """A booking through gRPC."""
        request = doctors.booking(next(self._slots), self._first)
        reply = await self._call("Book", self._appointment.Book, request)
        if reply is not None:
            self._keep(reply.appointment.id, reply.revision)

    async def book_json(self) -> None:
        """A booking through the gateway."""
        doctor_id, start = doctors.slot(next(self._slots), self._first)
        body = {
            "patient_id": str(uuid4()),
            "doctor_id": doctor_id,
            "appointment_date": start.isoformat().replace("+00:00", "Z"),
            "appointment_type": "GeneralConsultation",
            "duration_minutes": doctors.VISIT_MINUTES,
            "timezone": "UTC",
        }
        answer = await self._send("POST /appointments/book", "POST", "/appointments/book", body)
        if answer is not None:
            self._keep(answer["appointment"]["id"], answer["revision"])

    async def availability(self) -> None:
        """A doctor's day through gRPC."""
        await self._call("GetAvailability", self._doctor.GetAvailability, self._day())

    async def read_own(self) -> None:
        """A doctor's day as it is after a booking just made."""
        request = self._day()
        if self._booked:
            request.at_least_revision = self._booked[-1][1]
        await self._call("GetAvailability at_least_revision", self._doctor.GetAvailability, request)

    async def availability_json(self) -> None:
        """A doctor's day through the gateway."""
        day = self._day()
        date = f"{day.date.year}-{day.date.month:02}-{day.date.day:02}"
        path = f"/doctors/{day.doctor_id}/availability?date={date}"
        await self._send("GET /doctors/{doctor_id}/availability", "GET", path)

    async def search(self) -> None:
        """A page of doctors."""
        await self._call("SearchDoctors", self._doctor.SearchDoctors, search_pb2.SearchDoctorsRequest(query="Ada"))

    async def get(self) -> None:
        """An appointment through gRPC."""
        if self._booked:
            request = appointments.GetAppointmentRequest(id=self._rng.choice(self._booked)[0])
            await self._call("GetAppointment", self._appointment.GetAppointment, request)

    async def get_json(self) -> None:
        """An appointment through the gateway."""
        if self._booked:
            path = f"/appointments/{self._rng.choice(self._booked)[0]}"
            await self._send("GET /appointments/{appointment_id}", "GET", path)

    async def list_visits(self) -> None:
        """A page of a doctor's visits."""
        request = appointments.ListAppointmentsRequest(doctor_id=self._day().doctor_id, page_size=10)
        await self._call("ListAppointments", self._appointment.ListAppointments, request)

    async def list_sessions(self) -> None:
        """The video sessions of a doctor."""
        request = video.ListSessionsRequest(doctor_id=self._day().doctor_id, page_size=10)
        await self._call("ListSessions", self._video.ListSessions, request)

    async def cancel(self) -> None:
        """One of the visits that were booked first is called off."""
        if len(self._booked) > _KEPT // 2:
            appointment_id, _ = self._booked.pop(0)
            request = appointments.CancelAppointmentRequest(
                id=appointment_id, reason="no longer needed", request_id=str(uuid4())
            )
            await self._call("CancelAppointment", self._appointment.CancelAppointment, request)

    def _keep(self, appointment_id: str, revision: str) -> None:
        self._tally.acknowledged.add(appointment_id)
        self._booked.append((appointment_id, revision))
        del self._booked[:-_KEPT]

    def _day(self) -> doctor_messages.GetAvailabilityRequest:
        doctor_id, start = doctors.slot(self._rng.randrange(doctors.SLOTS), self._first)
        return doctor_messages.GetAvailabilityRequest(
            doctor_id=doctor_id, date=date_pb2.Date(year=start.year, month=start.month, day=start.day)
        )

    async def _call(self, name: str, method: Callable[..., Awaitable[Any]], request: Message) -> Any:
        began = time.monotonic()
        reply, code, reason, tells_when = None, "OK", "", False
        try:
            reply = await method(request, metadata=self._metadata, timeout=self._seconds)
        except grpc.aio.AioRpcError as error:
            code, (reason, tells_when) = error.code().name, told_by(error)
        self._tally.outcomes.append(Outcome(name, code, reason, began, time.monotonic(), tells_when))
        return reply

    async def _send(self, name: str, verb: str, path: str, body: Any = None) -> Any:
        wire = self._wires.pop() if self._wires else Wire(HOST, self._public, self._token)
        began = time.monotonic()
        content = b"" if body is None else json.dumps(body).encode()
        headers = {"idempotency-key": str(uuid4())} if body is not None else {}
        answer: Any = None
        code, reason, tells_when = "LOST", "", False
        try:
            async with asyncio.timeout(self._seconds + 5):
                reply = await self._sent(wire, verb, path, content, headers)
        except (OSError, EOFError) as error:
            reason = type(error).__name__
        else:
            answer, code, tells_when = (
                json.loads(reply.body),
                _HTTP_CODES.get(reply.status, str(reply.status)),
                reply.tells_when,
            )
            self._wires.append(wire)
        if code != "OK" and answer is not None:
            answer, reason = None, answer["reason"]
        self._tally.outcomes.append(Outcome(name, code, reason, began, time.monotonic(), tells_when))
        return answer

    async def _sent(self, wire: Wire, verb: str, path: str, content: bytes, headers: Mapping[str, str]) -> Reply:
        """The answer; with retries, as a careful client gets it: the same request with the same key, a few times."""
        for pause in _PAUSES if self._retries else ():
            with suppress(OSError, EOFError):
                reply = await wire.send(verb, path, content, headers)
                if reply.status != HTTPStatus.SERVICE_UNAVAILABLE:
                    return reply
            await asyncio.sleep(pause)
        return await wire.send(verb, path, content, headers)

    def close(self) -> None:
        """Lets go of the connections to the gateway."""
        for wire in self._wires:
            wire.close()


@asynccontextmanager
async def mixed_load(
    running: Running,
    *,
    clients: int,
    pause_seconds: float = 0.0,
    retries: bool = False,
    heeds_health: bool = True,
    call_seconds: float = _CALL_SECONDS,
) -> AsyncIterator[Tally]:
    """So many clients, each with its next call a pause after the last, while the block runs.

    Channels balance round-robin over the replicas, and heed what they say of their health. Without `retries` nothing is
    ever sent twice, not even by gRPC itself.
    """
    tally = Tally()
    options = channel_options(retries=retries, heeds_health=heeds_health)
    channels = {
        service: grpc.aio.insecure_channel(running.target(service), options=options)
        for service in ("appointment", "doctor", "video")
    }
    mix = Mix(running, channels, tally, call_seconds, retries=retries)
    ended = asyncio.Event()

    async def client(number: int) -> None:
        operations = mix.operations()
        for turn in itertools.count(number):
            if ended.is_set():
                return
            await operations[turn % len(operations)]()
            await asyncio.sleep(pause_seconds)

    working = [asyncio.create_task(client(number)) for number in range(clients)]
    try:
        yield tally
    finally:
        ended.set()
        await asyncio.gather(*working)
        mix.close()
        await asyncio.gather(*(channel.close() for channel in channels.values()))


def channel_options(*, retries: bool, heeds_health: bool = True) -> list[tuple[str, Any]]:
    """A channel as a client of replicas opens it: balanced, and shunning those that say NOT_SERVING."""
    config = _BALANCED | (_HEALTHY if heeds_health else {}) | (_RETRIED if retries else {})
    return [
        ("grpc.service_config", json.dumps(config)),
        ("grpc.enable_retries", int(retries)),
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", 5_000),
        ("grpc.max_reconnect_backoff_ms", 1_000),
    ]
