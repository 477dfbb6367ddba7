"""A caller of bench.overload in a process of its own: one load on one method, and what came of each call."""

import asyncio
import json
import os
import sys
import time
from dataclasses import dataclass
from typing import Any, TypedDict

import grpc
import uvloop
from google.type import date_pb2
from telemed.appointment.v1.appointment_service_pb2_grpc import AppointmentServiceStub
from telemed.doctor.v1 import doctor_service_pb2 as doctor_messages
from telemed.doctor.v1.doctor_service_pb2_grpc import DoctorServiceStub

from bench import doctors
from telemed_client import AsyncClient, Targets, TelemedError

CLIENTS = 4
_CALL_SECONDS = 10.0
_MOST_UNDER_WAY = 3_000  # of one caller; what would go beyond is not sent and is counted


class Told(TypedDict):
    """What a generator tells of its calls: the code and the seconds of each, and how many it did not send."""

    ended: list[tuple[str, float]]
    unsent: int


class Caller:
    """Makes one kind of call, by the bare stub or by our client."""

    def __init__(self, what: str, target: str, token: str, first_slot: int, step: int, *, bare: bool) -> None:
        """`first_slot` and `step` keep the generators' bookings apart."""
        stubs: list[Any]
        if bare:
            options = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0)]
            channels = [grpc.aio.insecure_channel(target, options=options) for _ in range(2)]
            self._open: list[Any] = channels
            stubs = [(AppointmentServiceStub if what == "Book" else DoctorServiceStub)(one) for one in channels]
        else:
            client = AsyncClient(Targets.at(target), token)
            self._open = [client]
            stubs = [client.appointments if what == "Book" else client.doctors]
        self._methods = [getattr(stub, what) for stub in stubs]
        # Our client brings the token itself.
        self._metadata = (("authorization", f"Bearer {token}"),) if bare else ()
        self._what = what
        self._slot, self._step = first_slot, step
        self._first = doctors.first_day()

    def _request(self) -> Any:
        self._slot += self._step
        number = self._slot % doctors.SLOTS
        if self._what == "Book":
            return doctors.booking(number, self._first)
        doctor_id, start = doctors.slot(number, self._first)
        day = date_pb2.Date(year=start.year, month=start.month, day=start.day)
        return doctor_messages.GetAvailabilityRequest(doctor_id=doctor_id, date=day)

    async def call(self) -> tuple[str, float]:
        """The code of one call, and the seconds that it took."""
        began = time.perf_counter()
        method = self._methods[self._slot // self._step % len(self._methods)]
        try:
            await method(self._request(), metadata=self._metadata, timeout=_CALL_SECONDS)
        except grpc.aio.AioRpcError as error:
            return error.code().name, time.perf_counter() - began
        except TelemedError as error:
            return error.code.name, time.perf_counter() - began
        return "OK", time.perf_counter() - began

    async def close(self) -> None:
        """Closes its connections."""
        await asyncio.gather(*(one.close() for one in self._open))


@dataclass(frozen=True, slots=True)
class Order:
    """What a generator is to do. A rate of 0 means a closed loop of CLIENTS."""

    what: str
    target: str
    token: str
    first_slot: int
    step: int
    rate: float
    seconds: float
    politeness: int
    bare: bool


async def generate(order: Order) -> None:
    """A generator's own process: so many calls a second, each sent when it is due; prints what came of them."""
    os.nice(order.politeness)
    caller = Caller(order.what, order.target, order.token, order.first_slot, order.step, bare=order.bare)
    await caller.call()
    ended: list[tuple[str, float]] = []
    if order.rate:
        unsent = await _open_loop(caller, order.rate, order.seconds, ended)
    else:
        unsent = await _closed_loop(caller, order.seconds, ended)
    print(json.dumps(Told(ended=ended, unsent=unsent)))


async def _closed_loop(caller: Caller, seconds: float, ended: list[tuple[str, float]]) -> int:
    until = time.perf_counter() + seconds

    async def client() -> None:
        while time.perf_counter() < until:
            ended.append(await caller.call())

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return 0


async def _open_loop(caller: Caller, rate: float, seconds: float, ended: list[tuple[str, float]]) -> int:
    began = time.perf_counter()
    under_way: set[asyncio.Task[None]] = set()
    unsent = 0

    async def one() -> None:
        ended.append(await caller.call())

    for number in range(int(rate * seconds)):
        if (early := began + number / rate - time.perf_counter()) > 0:
            await asyncio.sleep(early)
        elif number % 50 == 0:
            await asyncio.sleep(0)
        if len(under_way) >= _MOST_UNDER_WAY:
            unsent += 1
            continue
        task = asyncio.create_task(one())
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    await asyncio.gather(*under_way)
    return unsent


if __name__ == "__main__":
    uvloop.run(generate(Order(*json.loads(sys.argv[1]))))
