"""Two real servers, a primary and the standby that every commit waits for, and a crowd that books meanwhile."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import psycopg
import pytest
from google.rpc import error_details_pb2
from telemed.appointment.v1 import appointment_service_pb2 as pb
from telemed.doctor.v1 import doctor_service_pb2

from chassis.context import Role
from chassis.protos import to_timestamp
from stack import databases
from stack.postgres import Postgres
from stack.postgres_standby import SETTINGS, follow, url_of
from tests.fix_ledger import TEN
from tests.fix_practice import ADMIN, GENERAL, Practice, ScriptedDoctors, offered
from tests.refusals import detail, reason_of

CALL_SECONDS = 2.0
# Processes die here and no disk does; but a commit waits for the standby.
_SYNCHRONOUS = {"synchronous_commit": "on"}
_KEPT = "SELECT appointment_id::text FROM appointment ORDER BY 1"
_OVERLAPS = """
SELECT count(*) FROM doctor_claim AS one JOIN doctor_claim AS other
  ON one.doctor_id = other.doctor_id AND one.appointment_id < other.appointment_id AND one.occupied && other.occupied
"""


@dataclass(frozen=True)
class Servers:
    """Both run, and the appointment service's database is there. `url` leads to whichever takes writes."""

    primary: Postgres
    standby: Postgres

    @property
    def url(self) -> str:
        return url_of(self.primary, self.standby, database=databases.database_name("appointment"))


@pytest.fixture
async def servers(data_folder: Path) -> AsyncIterator[Servers]:
    """Both servers; ended with the test, however far it came."""
    primary, standby = (
        Postgres(data_folder / name, log=data_folder / f"{name}.log", durable=False, settings=SETTINGS | _SYNCHRONOUS)
        for name in ("primary", "standby")
    )
    found = Servers(primary, standby)
    try:
        primary.start()
        await databases.prepare({"appointment": found.url}, lambda _: None)
        await asyncio.to_thread(follow, primary, standby)
        yield found
    finally:
        standby.stop()
        primary.stop()


class EveryDoctor(ScriptedDoctors):
    """Every doctor is free whenever somebody asks."""

    async def MatchDoctors(self, request: Any, context: Any) -> doctor_service_pb2.MatchDoctorsResponse:
        self.matches.clear()
        exact = offered(request.start_time.ToDatetime(tzinfo=UTC))
        self.offer(exact_slot=exact).doctor_id = request.doctor_id
        return await super().MatchDoctors(request, context)


def wish(number: int = 0, doctor_id: str | None = None) -> pb.BookRequest:
    """A visit of somebody new, at the time of that number."""
    start = TEN + timedelta(days=number // 12, minutes=40 * (number % 12))
    return pb.BookRequest(
        patient_id=str(uuid4()),
        doctor_id=doctor_id or str(uuid4()),
        appointment_date=to_timestamp(start),
        appointment_type=GENERAL,
        request_id=str(uuid4()),
    )


async def ask_to_book(
    practice: Practice, request: pb.BookRequest, seconds: float = CALL_SECONDS
) -> str | grpc.StatusCode:
    """The id of the appointment, or how it was refused: by infrastructure, with a time to come again."""
    began = time.monotonic()
    call = practice.appointments.Book(request, metadata=practice.callers.metadata(Role.ADMIN, ADMIN), timeout=seconds)
    (answer,) = await asyncio.gather(call, return_exceptions=True)
    if isinstance(answer, pb.BookResponse):
        return answer.appointment.id
    assert isinstance(answer, grpc.aio.AioRpcError), answer
    code: grpc.StatusCode = answer.code()
    if code is grpc.StatusCode.ABORTED:
        assert reason_of(answer) == "SLOT_TAKEN"
    elif code is not grpc.StatusCode.DEADLINE_EXCEEDED or time.monotonic() - began < seconds:
        assert code in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}, answer
        assert detail(answer, error_details_pb2.RetryInfo()).retry_delay.ToMilliseconds() > 0
    return code


@dataclass
class Crowd:
    """Pairs of rivals who both want the same time, and repeat their request until they are told who has it."""

    practice: Practice
    told: list[str] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    granted: list[float] = field(default_factory=list)
    times: int = 0
    _doctors: tuple[str, ...] = field(default_factory=lambda: tuple(str(uuid4()) for _ in range(3)))

    @asynccontextmanager
    async def booking(self, pairs: int = 4) -> AsyncIterator[None]:
        """So many pairs book while the block runs, each time after the last; at its end all know who has what."""
        over, numbers = asyncio.Event(), itertools.count()

        async def pair() -> None:
            while not over.is_set():
                number = next(numbers)
                self.times += 1
                doctor = self._doctors[number % len(self._doctors)]
                rivals = [wish(number // len(self._doctors), doctor) for _ in range(2)]
                await asyncio.gather(*map(self._until_told, rivals))

        async with asyncio.TaskGroup() as group:
            for _ in range(pairs):
                group.create_task(pair())
            try:
                yield
            finally:
                over.set()

    async def _until_told(self, request: pb.BookRequest) -> None:
        while (answer := await ask_to_book(self.practice, request)) is not grpc.StatusCode.ABORTED:
            if isinstance(answer, str):
                self.told.append(answer)
                self.granted.append(time.monotonic())
                return
            self.refused.append(time.monotonic())
            await asyncio.sleep(0.05)


def appointments_on(server: Postgres) -> list[str]:
    """Every appointment of a server, once no two of a doctor overlap."""
    with psycopg.connect(server.url(databases.database_name("appointment"))) as connection:
        assert connection.execute(_OVERLAPS).fetchone() == (0,)
        return [row[0] for row in connection.execute(_KEPT).fetchall()]
