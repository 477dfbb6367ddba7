"""The clients against a real server: futures, and calls that are kept back while it refuses."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import grpc
import pytest
from telemed.appointment.v1 import appointment_pb2
from telemed.appointment.v1.appointment_service_pb2 import GetAppointmentRequest
from telemed.appointment.v1.appointment_service_pb2_grpc import (
    AppointmentServiceServicer,
    add_AppointmentServiceServicer_to_server,
)
from telemed.doctor.v1.doctor_service_pb2 import GetDoctorRequest

from telemed_client import AsyncClient, Client, Targets, TelemedError

CALLS = 60


class Servicer(AppointmentServiceServicer):
    """Refuses what it is asked while it is busy, and what is asked of an appointment named after a code."""

    def __init__(self) -> None:
        self.asked = 0
        self.busy = False
        self.may_answer = Event()
        self.may_answer.set()

    def GetAppointment(self, request, context):
        self.asked += 1
        self.may_answer.wait(10)
        if self.busy:
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many calls at once")
        if code := grpc.StatusCode.__members__.get(request.id):
            context.abort(code, "told")
        return appointment_pb2.Appointment(id=request.id)


@contextmanager
def serving(servicer: Servicer) -> Iterator[Targets]:
    server = grpc.server(ThreadPoolExecutor(4))
    add_AppointmentServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield Targets.at(f"127.0.0.1:{port}")
    finally:
        server.stop(None)


@pytest.fixture
def servicer() -> Servicer:
    return Servicer()


@pytest.fixture
def client(servicer: Servicer) -> Iterator[Client]:
    with serving(servicer) as targets, Client(targets, "t", deadline=20) as client:
        yield client


def asked_for(name: str) -> GetAppointmentRequest:
    return GetAppointmentRequest(id=name)


def test_a_future_brings_the_answer_once_it_is_there(servicer: Servicer, client: Client):
    servicer.may_answer.clear()
    later = client.appointments.GetAppointment.future(asked_for("a"))
    assert not later.done()
    servicer.may_answer.set()
    assert later.result(10).id == "a"
    assert later.exception() is None


def test_a_future_that_is_refused_is_an_error_with_a_reason(client: Client):
    later = client.appointments.GetAppointment.future(asked_for("ABORTED"))
    told = Event()
    later.add_done_callback(lambda ended: told.set() if ended is later else None)
    with pytest.raises(TelemedError, match="ABORTED: told"):
        later.result(10)
    assert later.exception(10).code is grpc.StatusCode.ABORTED
    assert told.wait(10)


def test_a_future_may_be_given_up(servicer: Servicer, client: Client):
    servicer.may_answer.clear()
    later = client.appointments.GetAppointment.future(asked_for("a"))
    assert later.cancel()
    with pytest.raises(grpc.FutureCancelledError):
        later.result(10)
    servicer.may_answer.set()


def test_the_client_with_threads_spares_a_service_that_refuses(servicer: Servicer, client: Client):
    servicer.busy = True
    for number in range(CALLS):
        with pytest.raises(TelemedError) as refused:
            client.appointments.GetAppointment(asked_for(str(number)))
        assert refused.value.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert servicer.asked < CALLS / 2


async def test_the_client_for_asyncio_spares_it_too(servicer: Servicer):
    servicer.busy = True
    with serving(servicer) as targets:
        async with AsyncClient(targets, "t", deadline=20) as client:
            for number in range(CALLS):
                with pytest.raises(TelemedError):
                    await client.appointments.GetAppointment(asked_for(str(number)))
            assert servicer.asked < CALLS / 2
            servicer.busy = False
            await asyncio.sleep(1.1)
            assert (await client.appointments.GetAppointment(asked_for("a"))).id == "a"


async def test_a_service_that_refuses_says_nothing_of_another(servicer: Servicer):
    servicer.busy = True
    well = Servicer()
    with serving(servicer) as busy, serving(well) as idle:
        targets = Targets(busy.appointment, idle.appointment, idle.appointment)
        async with AsyncClient(targets, "t", deadline=20) as client:
            for number in range(CALLS):
                with pytest.raises(TelemedError):
                    await client.appointments.GetAppointment(asked_for(str(number)))
            # The other one knows no such call, and is asked each time.
            for _ in range(CALLS):
                with pytest.raises(TelemedError) as refused:
                    await client.doctors.GetDoctor(GetDoctorRequest(doctor_id="d"))
                assert refused.value.code is grpc.StatusCode.UNIMPLEMENTED
