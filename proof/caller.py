"""One client of the appointment service: sends a request under its key until it is answered, or gives up.

The rules are those that docs/errors.md allows every client: after UNAVAILABLE, OVERLOADED, CONTENTION or a passed
deadline the same request is sent again with the same request_id, at another server; every other refusal is an answer. A
refusal that comes after an attempt without an answer proves nothing, since that attempt may still be under way: it
counts as unknown until things are quiet.
"""

import asyncio
import hashlib
import random
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from telemed.appointment.v1 import appointment_pb2
from telemed.appointment.v1 import appointment_service_pb2 as pb
from telemed.type.v1.scheduling_pb2 import AppointmentType

from chassis.context import Role
from proof.clinic import Clinic
from proof.history import FAIL, OK, UNKNOWN, Recorder
from stack.plan import HOST

_SERVICE = pb.DESCRIPTOR.services_by_name["AppointmentService"]
# Reasons after which the same request is sent again. The second set says that nothing was begun; after one of the
# first it is open whether the attempt took effect.
_OPEN = frozenset({"UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED", "INTERNAL", "UNKNOWN"})
_NOT_BEGUN = frozenset({"OVERLOADED", "DEADLINE_TOO_SHORT", "CONTENTION"})
_ATTEMPT_SECONDS = 2.5
_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 0.8
_OPTIONS = [
    ("grpc.enable_retries", 0),  # every attempt is ours to count
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 5_000),
    ("grpc.max_reconnect_backoff_ms", 300),
]


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to happen once. `intent` is what a check needs to know of the request."""

    verb: str
    role: Role
    subject: str
    request: Message
    intent: dict[str, Any]
    trace: str = field(default_factory=lambda: secrets.token_hex(16))

    @property
    def key(self) -> str:
        """The request_id; empty for a read."""
        return str(getattr(self.request, "request_id", ""))


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client knows at the end: `outcome` is ok, fail or unknown."""

    outcome: str
    reason: str = ""
    content: bytes = b""

    @property
    def digest(self) -> str:
        """What stands for the bytes in the history; empty without any."""
        return hashlib.sha256(self.content).hexdigest() if self.outcome == OK else ""


class Servers:
    """A channel to each server of the appointment service."""

    def __init__(self, clinic: Clinic) -> None:
        """Connects lazily."""
        self._clinic = clinic
        self._channels = [
            grpc.aio.insecure_channel(f"{HOST}:{server.plan.port}", options=_OPTIONS)
            for server in clinic.of_service("appointment")
        ]

    def __len__(self) -> int:
        return len(self._channels)

    async def close(self) -> None:
        """Ends every call."""
        await asyncio.gather(*(channel.close() for channel in self._channels))

    async def once(self, wish: Wish, server: int) -> Answer:
        """One attempt at one server. `reason` is the reason of docs/errors.md, or the bare code where none came."""
        call: grpc.aio.UnaryUnaryMultiCallable[Message, bytes] = self._channels[
            server % len(self._channels)
        ].unary_unary(f"/{_SERVICE.full_name}/{wish.verb}", request_serializer=type(wish.request).SerializeToString)
        traced = ("traceparent", f"00-{wish.trace}-{secrets.token_hex(8)}-01")
        metadata = (*self._clinic.metadata(wish.role, wish.subject), traced)
        try:
            content: bytes = await call(wish.request, timeout=_ATTEMPT_SECONDS, metadata=metadata)
        except grpc.aio.AioRpcError as error:
            reason = reason_of(error)
            return Answer(UNKNOWN if reason in _OPEN | _NOT_BEGUN else FAIL, reason)
        return Answer(OK, content=content)

    async def until_answered(self, wish: Wish, attempts: int, rng: random.Random, log: Sequence[Any] = ()) -> Answer:
        """Attempts at one server after the other; `log` are functions that hear of the end of each."""
        server = rng.randrange(len(self))
        doubtful = False
        answer = Answer(UNKNOWN, "never sent")
        for attempt in range(attempts):
            answer = await self.once(wish, server + attempt)
            for hear in log:
                hear(answer)
            if answer.outcome == OK:
                return answer
            if answer.outcome == FAIL:
                return replace(answer, outcome=UNKNOWN) if doubtful else answer
            doubtful = doubtful or answer.reason in _OPEN
            await asyncio.sleep(rng.uniform(0.5, 1.0) * min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2**attempt))
        return answer


@dataclass(frozen=True, slots=True)
class Client:
    """A client with a number, and a random source of its own, whose operations go into the history."""

    number: int
    servers: Servers
    recorder: Recorder
    rng: random.Random

    async def perform(self, wish: Wish, attempts: int = 5, *, twin: bool = False) -> tuple[int, Answer]:
        """Runs an operation and tells its number; with `twin`, the same request goes to two servers at once."""
        number = self.recorder.next_operation()
        self.recorder.write(
            "invoke",
            op=number,
            client=self.number,
            verb=wish.verb,
            caller=wish.subject,
            key=wish.key,
            trace=wish.trace,
            intent=wish.intent,
        )

        def attempted(answer: Answer) -> None:
            if answer.outcome != OK:
                self.recorder.write("attempt", op=number, answered=answer.reason)

        calls = [self.servers.until_answered(wish, attempts, self.rng, [attempted])]
        if twin:
            calls.append(self.servers.until_answered(wish, attempts, self.rng, [attempted]))
        answer, *others = sorted(await asyncio.gather(*calls), key=_how_sure)
        if answer.outcome == FAIL and any(other.outcome == UNKNOWN for other in others):
            answer = replace(answer, outcome=UNKNOWN)
        note_end(self.recorder, number, answer)
        for other in others:
            note_repeat(self.recorder, number, other, twin=True)
        return number, answer


def _how_sure(answer: Answer) -> int:
    return (OK, FAIL, UNKNOWN).index(answer.outcome)


def note_end(recorder: Recorder, number: int, answer: Answer) -> None:
    """Writes what the client of an operation was told."""
    if answer.outcome == OK:
        recorder.write(OK, op=number, answer=answer.digest, result=facts_of(answer.content))
    else:
        recorder.write(answer.outcome, op=number, reason=answer.reason)


def note_repeat(recorder: Recorder, number: int, answer: Answer, *, twin: bool = False) -> None:
    """Writes what a repeat of an operation was told."""
    recorder.write("repeat", op=number, outcome=answer.outcome, reason=answer.reason, answer=answer.digest, twin=twin)


def facts_of(content: bytes) -> dict[str, Any]:
    """What an answer says of its appointment. Every change of an appointment answers it in field 1."""
    told = pb.CancelAppointmentResponse.FromString(content).appointment
    return appointment_facts(told)


def appointment_facts(told: appointment_pb2.Appointment) -> dict[str, Any]:
    """An appointment as the history keeps it."""
    return {
        "id": told.id,
        "version": int(told.etag),
        "status": appointment_pb2.AppointmentStatus.Name(told.status).removeprefix("APPOINTMENT_STATUS_"),
        "patient": told.patient_id,
        "doctor": told.doctor_id,
        "kind": kind_name(told.appointment_type),
        "start": told.start_time.ToJsonString(),
        "end": told.end_time.ToJsonString(),
        "rating": told.rating,
    }


def kind_name(number: AppointmentType.ValueType) -> str:
    """The kind of a visit by its name in the contract, without the prefix."""
    return AppointmentType.Name(number).removeprefix("APPOINTMENT_TYPE_")


def reason_of(error: grpc.aio.AioRpcError) -> str:
    """The reason that a status carries, or its code in front of a status that carries none."""
    try:
        status = rpc_status.from_call(error)
    except ValueError:
        status = None
    for detail in status.details if status is not None else ():
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info):
            return str(info.reason)
    return str(error.code().name)
