"""All three services together, and two patients with two doctors who have nothing to do with each other."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

import grpc
import pytest
from telemed.video.v1 import presence_pb2
from telemed.video.v1 import video_service_pb2 as video_pb
from telemed.video.v1.video_service_pb2_grpc import VideoServiceStub

from chassis.context import Role
from tests.fix_doctors import NOON, WORKING_DAYS, a_doctor, a_rule, seed
from tests.fix_pair import Pair
from tests.fix_postgres import Databases
from tests.fix_services import running, shared_settings, stub
from video_svc.__main__ import build as build_video
from video_svc.settings import VideoSettings

# The doors of their visits are open.
VISIT = NOON + timedelta(minutes=5)


@dataclass
class Side:
    """A patient and their doctor. What they have is made when it is asked for first."""

    doctor_id: str = field(default_factory=lambda: str(uuid4()))
    patient_id: str = field(default_factory=lambda: str(uuid4()))
    appointment_id: str = field(default_factory=lambda: str(uuid4()))
    session_id: str = field(default_factory=lambda: str(uuid4()))
    participant_id: str = field(default_factory=lambda: str(uuid4()))
    rule_id: str = field(default_factory=lambda: str(uuid4()))
    override_id: str = field(default_factory=lambda: str(uuid4()))
    is_own: bool = False


@dataclass
class Strangers:
    """The services by their contracts' names, and both sides; `nobody` is a side of which nothing exists."""

    pair: Pair
    visits: Any
    own: Side = field(default_factory=lambda: Side(is_own=True))
    other: Side = field(default_factory=Side)
    nobody: Side = field(default_factory=Side)

    def stub(self, service: str) -> Any:
        stubs = {"AppointmentService": self.pair.appointments, "DoctorService": self.pair.doctors}
        return stubs.get(service, self.visits)

    async def move_in(self) -> None:
        """Gives each side a doctor with hours, and a visit that is about to begin."""
        for side in (self.own, self.other):
            doctor = a_doctor()
            await seed(self.pair.doctor_db, [doctor], [a_rule(doctor, day) for day in WORKING_DAYS])
            side.doctor_id = doctor.doctor_id
            side.appointment_id = await self.pair.claim(side.doctor_id, VISIT, side.patient_id)

    async def knock(self) -> None:
        """Brings both patients to the doors of their visits, and their doctors in."""
        for side in (self.own, self.other):
            await self._start(side, Role.DOCTOR, side.doctor_id, video_pb.PARTICIPANT_TYPE_DOCTOR)
            there = await self._start(side, Role.PATIENT, side.patient_id, video_pb.PARTICIPANT_TYPE_PATIENT)
            side.session_id, side.participant_id = there.session_id, there.participant_id

    async def admit(self) -> None:
        """Lets both patients in, after which everybody is in their first attempt to connect."""
        for side in (self.own, self.other):
            whom = presence_pb2.AdmitRequest(session_id=side.session_id, participant_id=side.participant_id)
            doctor = self.pair.as_(Role.DOCTOR, side.doctor_id)
            await self.visits.Admit(whom, metadata=doctor, timeout=30)
            await self._start(side, Role.PATIENT, side.patient_id, video_pb.PARTICIPANT_TYPE_PATIENT)

    async def _start(self, side: Side, role: Role, subject: str, part: int) -> video_pb.StartSessionResponse:
        request = video_pb.StartSessionRequest(appointment_id=side.appointment_id, participant_type=part)
        async with asyncio.timeout(60):
            while True:
                try:
                    return await self.visits.StartSession(request, metadata=self.pair.as_(role, subject), timeout=30)
                except grpc.aio.AioRpcError as error:
                    # The video service waits for its copy of the visit itself, but not as long as a busy machine takes.
                    if error.code() is not grpc.StatusCode.NOT_FOUND:
                        raise


@pytest.fixture(scope="session")
async def third_service(
    both_services: Pair, databases: Databases, video_template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Any]:
    """The video service beside the pair, started once a worker."""
    name = await databases.create("third", template=video_template)
    folder = tmp_path_factory.mktemp("third")
    settings = VideoSettings(
        port=0,
        database_url=databases.url(name),
        appointment_target=both_services.appointment_target,
        join_key_file=folder / "join.pem",
        public_url="https://clinic.example",
        drain_seconds=0,
        grace_seconds=1,
    )
    process = await build_video(settings, shared_settings(both_services.callers, folder), lambda: both_services.now)
    async with running(process) as target, stub(VideoServiceStub, target) as visits:
        yield visits
    await databases.drop(name)


@pytest.fixture
async def strangers(pair: Pair, third_service: Any) -> Strangers:
    """Two sides of this test's own."""
    made = Strangers(pair, third_service)
    await made.move_in()
    return made
