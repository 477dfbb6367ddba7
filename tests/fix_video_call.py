"""Two people in a visit, through the typed stubs: everything a browser page would call, and what it would hear."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from telemed.video.v1 import presence_pb2, signalling_pb2
from telemed.video.v1 import video_service_pb2 as pb

from chassis.context import Role
from chassis.db import Database
from tests.domain.video.video_builders import RULES
from tests.fix_video import AS_DOCTOR, AS_PATIENT, Booked, Clock, House, Visits
from video_svc.app.keep_time import KeepTime
from video_svc.storage.attempts import PostgresAttempts
from video_svc.storage.sessions import PostgresSessions
from video_svc.storage.signals import PostgresSignals
from video_svc.storage.tickets import PostgresTickets

CONNECTED = presence_pb2.CONNECTION_STATE_CONNECTED
DISCONNECTED = presence_pb2.CONNECTION_STATE_DISCONNECTED


@dataclass
class Person:
    """One participant with a page of their own; counts signals and reports as a page does."""

    visits: Visits
    visit: Booked
    role: Role
    subject: str
    session_id: str = ""
    participant_id: str = ""
    attempt: int = 0
    signals: int = 0
    reports: int = 0
    heard: list[pb.WatchSessionResponse] = field(default_factory=list)

    @property
    def metadata(self) -> list[tuple[str, str]]:
        return self.visits.callers.metadata(self.role, self.subject)

    def call(self, rpc: str, request: Any) -> Awaitable[Any]:
        return getattr(self.visits.stub, rpc)(request, metadata=self.metadata, timeout=10)

    async def start(self, request_id: str = "") -> pb.StartSessionResponse:
        request = pb.StartSessionRequest(
            appointment_id=self.visit.appointment_id,
            participant_type=AS_PATIENT if self.role is Role.PATIENT else AS_DOCTOR,
            request_id=request_id,
        )
        answer: pb.StartSessionResponse = await self.call("StartSession", request)
        if answer.attempt != self.attempt:
            self.signals = self.reports = 0
        self.session_id, self.participant_id, self.attempt = answer.session_id, answer.participant_id, answer.attempt
        return answer

    async def check_in(self, **devices: bool) -> pb.Session:
        return await self.call("CheckIn", presence_pb2.CheckInRequest(session_id=self.session_id, **devices))

    async def decide(self, rpc: str, whom: "Person") -> pb.Session:
        request = getattr(presence_pb2, f"{rpc}Request")
        return await self.call(rpc, request(session_id=self.session_id, participant_id=whom.participant_id))

    async def say(self, peer: "Person", payload: Any = None, **changed: int) -> int:
        """Sends the next signal; what is `changed` replaces what a good page would send."""
        wish = {"attempt": self.attempt, "peer_attempt": peer.attempt, "number": self.signals + 1} | changed
        payload = payload or candidates(f"candidate:{wish['number']}")
        request = signalling_pb2.SendSignalRequest(session_id=self.session_id, payload=payload, **wish)
        answer = await self.call("SendSignal", request)
        self.signals = max(self.signals, wish["number"])
        return answer.next_number

    async def report(self, state: int = CONNECTED, **changed: int) -> pb.HeartbeatResponse:
        self.reports += 1
        wish = {"attempt": self.attempt, "number": self.reports} | changed
        request = presence_pb2.HeartbeatRequest(session_id=self.session_id, connection_state=state, **wish)
        return await self.call("Heartbeat", request)

    async def leave(self, attempt: int | None = None) -> pb.Session:
        attempt = self.attempt if attempt is None else attempt
        return await self.call(
            "LeaveSession", presence_pb2.LeaveSessionRequest(session_id=self.session_id, attempt=attempt)
        )

    async def end(self) -> pb.Session:
        return await self.call("EndSession", presence_pb2.EndSessionRequest(session_id=self.session_id))

    async def see(self) -> pb.Session:
        return await self.call("GetSession", pb.GetSessionRequest(session_id=self.session_id))

    def stream(self, after_seq: int = 0, metadata: list[tuple[str, str]] | None = None) -> Any:
        request = pb.WatchSessionRequest(session_id=self.session_id, after_seq=after_seq)
        return self.visits.stub.WatchSession(request, metadata=metadata or self.metadata, timeout=20)

    async def hear(self, enough: Callable[[list[pb.WatchSessionResponse]], bool], after_seq: int = 0) -> list[Any]:
        """Listens until enough was heard, within 5 seconds, and answers that."""
        self.heard = []
        events = self.stream(after_seq)
        try:
            async with asyncio.timeout(5):
                async for event in events:
                    self.heard.append(event)
                    if enough(self.heard):
                        return self.heard
        finally:
            events.cancel()
        raise AssertionError("the stream ended")


@dataclass
class Call:
    """The two of a visit."""

    patient: Person
    doctor: Person

    async def admit(self) -> None:
        """The patient knocks, the doctor walks in and admits, and both begin an attempt."""
        await self.patient.start()
        await self.doctor.start()
        await self.doctor.decide("Admit", self.patient)
        await self.patient.start()

    async def connect(self) -> None:
        """After this the visit is live."""
        await self.admit()
        await self.patient.report()
        await self.doctor.report()


def candidates(*lines: str, end: bool = False) -> signalling_pb2.SignalPayload:
    return signalling_pb2.SignalPayload(
        candidates=[signalling_pb2.IceCandidate(candidate=line, sdp_mid="0") for line in lines], end_of_candidates=end
    )


def description(kind: str, text: str = "v=0\r\n") -> signalling_pb2.SignalPayload:
    sdp_type = signalling_pb2.SdpType.Value(f"SDP_TYPE_{kind}")
    return signalling_pb2.SignalPayload(description=signalling_pb2.SessionDescription(type=sdp_type, sdp=text))


def lines(events: list[pb.WatchSessionResponse]) -> list[str]:
    """The candidates of the signals heard, in their order."""
    return [one.candidate for event in events for one in event.signal.payload.candidates]


def call_of(visits: Visits, visit: Booked | None = None) -> Call:
    """Two people whose confirmed visit starts now."""
    if visit is None:
        visit = Booked()
        visits.feed.tell(visit)
    return Call(
        Person(visits, visit, Role.PATIENT, visit.patient_id), Person(visits, visit, Role.DOCTOR, visit.doctor_id)
    )


@pytest.fixture
async def keep_time(video_house: House, request: pytest.FixtureRequest) -> AsyncIterator[KeepTime]:
    """The work of the clock, done when the test says so: by the clock of the test's own service when it has one."""
    database = Database(video_house.database_url, size=2)
    await database.open()
    clock = request.getfixturevalue("visits").clock if "visits" in request.fixturenames else Clock()
    parts = (
        PostgresSessions(database, RULES),
        PostgresSignals(database),
        PostgresTickets(database),
        PostgresAttempts(database),
    )
    yield KeepTime(*parts, RULES, clock)
    await database.close()


@pytest.fixture
async def call(visits: Visits) -> Call:
    return call_of(visits)
