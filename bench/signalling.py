"""How fast signals go from browser to browser through the video service, and what a hundred visits at once cost it."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import grpc
import psycopg
from telemed.video.v1 import presence_pb2, signalling_pb2
from telemed.video.v1 import video_service_pb2 as pb
from telemed.video.v1.video_service_pb2_grpc import VideoServiceStub

from bench.clinic import Clinic, Metadata, open_clinic
from bench.load import channels, percentile
from bench.rounds import table
from chassis.context import Role

_VISITS = 100
_ROUNDS = 3
# As many as a visit needs: an offer, an answer, and candidates of both sides in a few batches.
_SIGNALS = 20
_OFFER = "v=0\r\n" + "a=candidate-like line of an offer\r\n" * 160
_ON_THE_WAY_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Side:
    """One participant of one visit."""

    stub: Any
    metadata: Metadata
    appointment_id: str
    side: pb.ParticipantType.ValueType

    async def start(self) -> Any:
        """Knocks, or begins an attempt."""
        request = pb.StartSessionRequest(appointment_id=self.appointment_id, participant_type=self.side)
        return await self.stub.StartSession(request, metadata=self.metadata, timeout=30)

    async def call(self, rpc: str, request: Any) -> Any:
        """Any other call."""
        return await getattr(self.stub, rpc)(request, metadata=self.metadata, timeout=30)


@dataclass(frozen=True, slots=True)
class Visit:
    """Two participants in the call, and the session that they are in."""

    patient: Side
    doctor: Side
    session_id: str


async def main() -> None:
    """Prints both tables."""
    async with open_clinic() as clinic:
        people = await _book(clinic, _VISITS * (_ROUNDS + 1))
        async with clinic.running(["video"]), channels(clinic.target("video"), 4) as opened:
            print(f"{_VISITS} visits at once, {_SIGNALS} signals each, half of them one way; no media.\n")
            rows = []
            for number in range(_ROUNDS + 1):
                pairs = people[number * _VISITS : (number + 1) * _VISITS]
                row = await _round(clinic, opened, pairs)
                if number:
                    rows.append(row)
            _show(rows)


async def _book(clinic: Clinic, count: int) -> Sequence[tuple[str, str, str]]:
    """Sessions of visits that start now, straight into the video service's copy: appointment, patient and doctor."""
    people = [(str(uuid4()), str(uuid4()), str(uuid4())) for _ in range(count)]
    start = datetime.now(UTC)
    async with await psycopg.AsyncConnection.connect(clinic.urls["video"], autocommit=True) as connection:
        await connection.execute("INSERT INTO feed_cursor (feed, revision) VALUES ('appointments', 1)")
        async with connection.cursor() as cursor:
            await cursor.executemany(
                "INSERT INTO session (appointment_id, patient_id, doctor_id, appointment_status, appointment_version,"
                " start_time, end_time) VALUES (%s, %s, %s, 'CONFIRMED', 1, %s, %s)",
                [(*ids, start, start + timedelta(minutes=30)) for ids in people],
            )
    return people


def _metadata(clinic: Clinic, role: Role, subject: str) -> Metadata:
    token = clinic.issuer.mint(role, subject, now=datetime.now(UTC), ttl=timedelta(minutes=30))
    return (("authorization", f"Bearer {token}"),)


async def _round(
    clinic: Clinic, opened: Sequence[grpc.aio.Channel], pairs: Sequence[tuple[str, str, str]]
) -> dict[str, float]:
    """Joins, signals and connects all visits of a round at once, and tells the figures."""
    began = time.perf_counter()
    visits = await asyncio.gather(*(_join(clinic, opened, index, pair) for index, pair in enumerate(pairs)))
    joined = time.perf_counter()
    delays = [delay for found in await asyncio.gather(*map(_signal, visits)) for delay in found]
    signalled = time.perf_counter()
    await asyncio.gather(*map(_connect, visits))
    return {
        "joins": 2 * len(visits) / (joined - began),
        "signals": len(delays) / (signalled - joined),
        "p50": percentile(delays, 50) * 1000,
        "p99": percentile(delays, 99) * 1000,
        "visit": time.perf_counter() - began,
    }


async def _join(clinic: Clinic, opened: Sequence[grpc.aio.Channel], index: int, people: tuple[str, str, str]) -> Visit:
    """From the waiting room into the call: five calls a visit."""
    appointment_id, patient_id, doctor_id = people
    stub = VideoServiceStub(opened[index % len(opened)])
    patient = Side(stub, _metadata(clinic, Role.PATIENT, patient_id), appointment_id, pb.PARTICIPANT_TYPE_PATIENT)
    doctor = Side(stub, _metadata(clinic, Role.DOCTOR, doctor_id), appointment_id, pb.PARTICIPANT_TYPE_DOCTOR)
    knocked = await patient.start()
    await doctor.start()
    ids = {"session_id": knocked.session_id, "participant_id": knocked.participant_id}
    await doctor.call("Admit", presence_pb2.AdmitRequest(**ids))
    await patient.start()
    return Visit(patient, doctor, knocked.session_id)


async def _signal(visit: Visit) -> list[float]:
    """Both sides speak to each other; the seconds from sending each signal to hearing it."""
    sent: dict[tuple[int, int], float] = {}
    found = await asyncio.gather(
        _hear(visit, visit.patient, sent),
        _hear(visit, visit.doctor, sent),
        _say(visit, visit.patient, sent),
        _say(visit, visit.doctor, sent),
    )
    return [*found[0], *found[1]]


async def _say(visit: Visit, speaker: Side, sent: dict[tuple[int, int], float]) -> list[float]:
    for number in range(1, _SIGNALS // 2 + 1):
        payload = signalling_pb2.SignalPayload(
            candidates=[signalling_pb2.IceCandidate(candidate="candidate:1 1 udp 1 192.0.2.1 9 typ host")]
        )
        if number == 1:
            description = signalling_pb2.SessionDescription(type=signalling_pb2.SDP_TYPE_OFFER, sdp=_OFFER)
            payload = signalling_pb2.SignalPayload(description=description)
        request = signalling_pb2.SendSignalRequest(
            session_id=visit.session_id, attempt=1, peer_attempt=1, number=number, payload=payload
        )
        sent[speaker.side, number] = time.perf_counter()
        await speaker.call("SendSignal", request)
    return []


async def _hear(visit: Visit, listener: Side, sent: dict[tuple[int, int], float]) -> list[float]:
    other = visit.doctor.side if listener is visit.patient else visit.patient.side
    request = pb.WatchSessionRequest(session_id=visit.session_id)
    events = listener.stub.WatchSession(request, metadata=listener.metadata, timeout=_ON_THE_WAY_SECONDS)
    delays: list[float] = []
    async for event in events:
        if event.HasField("signal"):
            delays.append(time.perf_counter() - sent[other, event.signal.number])
            if len(delays) == _SIGNALS // 2:
                events.cancel()
                break
    return delays


async def _connect(visit: Visit) -> None:
    """Both report that they are connected, and the visit ends."""
    for side in (visit.patient, visit.doctor):
        report = presence_pb2.HeartbeatRequest(
            session_id=visit.session_id,
            attempt=1,
            number=1,
            connection_state=presence_pb2.CONNECTION_STATE_CONNECTED,
        )
        await side.call("Heartbeat", report)
    ended = await visit.doctor.call("EndSession", presence_pb2.EndSessionRequest(session_id=visit.session_id))
    assert ended.HasField("actual_start_time"), "both were connected"


def _show(rows: Sequence[dict[str, float]]) -> None:
    names = {
        "joins": "joinings a second",
        "signals": "signals a second, from sender to hearer",
        "p50": "milliseconds on the way, p50",
        "p99": "milliseconds on the way, p99",
        "visit": f"seconds for {_VISITS} visits from knock to end",
    }
    figures = {name: sorted(row[name] for row in rows) for name in names}
    table(
        ["", "median", "least", "most"],
        [
            (text, *(f"{value:,.1f}" for value in (found[len(found) // 2], found[0], found[-1])))
            for name, text in names.items()
            for found in [figures[name]]
        ],
    )


if __name__ == "__main__":
    asyncio.run(main())
