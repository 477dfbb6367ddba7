"""Both clients against the whole clinic: a booking, a refusal, a list and a stream."""

import uuid
from datetime import UTC, datetime, time

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from telemed.appointment.v1.appointment_service_pb2 import (
    BookRequest,
    BookResponse,
    GetAppointmentRequest,
    ListAppointmentsRequest,
    WatchChangesRequest,
)
from telemed.type.v1.scheduling_pb2 import APPOINTMENT_TYPE_GENERAL_CONSULTATION

from chassis.context import Role
from telemed_client import AsyncClient, Client, Targets, TelemedError, breaking_the_glass, each, each_async
from tests.fix_clinic import Clinic, in_days


def targets(clinic: Clinic) -> Targets:
    return Targets(*(clinic.target(service) for service in ("appointment", "doctor", "video")))


def wish(patient: str, doctor: str, hour: int) -> BookRequest:
    start = Timestamp()
    start.FromDatetime(datetime.combine(in_days(9), time(hour), UTC))
    return BookRequest(
        patient_id=patient,
        doctor_id=doctor,
        appointment_date=start,
        appointment_type=APPOINTMENT_TYPE_GENERAL_CONSULTATION,
    )


def test_the_client_with_threads_books_lists_and_is_refused_by_reason(clinic: Clinic):
    doctor, patient = clinic.new_doctor(), str(uuid.uuid4())
    with Client(targets(clinic), clinic.token(Role.PATIENT, patient)) as client:
        booked = [client.appointments.Book(wish(patient, doctor, hour)) for hour in (9, 10, 11)]
        with pytest.raises(TelemedError) as refused:
            client.appointments.Book(wish(patient, doctor, 3))
        request = ListAppointmentsRequest(patient_id=patient, page_size=2)
        listed = [
            visit.id for visit in each(client.appointments.ListAppointments, request, lambda page: page.appointments)
        ]
    assert listed == [answer.appointment.id for answer in reversed(booked)]
    assert refused.value.code is grpc.StatusCode.FAILED_PRECONDITION
    assert refused.value.reason == "OUTSIDE_WORKING_HOURS"


async def test_the_client_for_asyncio_does_the_same_and_watches(clinic: Clinic):
    doctor, patient = clinic.new_doctor(), str(uuid.uuid4())
    async with AsyncClient(targets(clinic), lambda: clinic.token(Role.PATIENT, patient)) as client:
        booked: BookResponse = await client.appointments.Book(wish(patient, doctor, 9))
        with pytest.raises(TelemedError) as refused:
            await client.appointments.Book(wish(patient, doctor, 9))
        request = ListAppointmentsRequest(patient_id=patient)
        listed = [
            visit.id
            async for visit in each_async(client.appointments.ListAppointments, request, lambda page: page.appointments)
        ]
        seen = None
        async for answer in client.appointments.WatchChanges(WatchChangesRequest()):
            if answer.HasField("change"):
                seen = answer.change.appointment.id
                break
    assert refused.value.reason in ("SLOT_TAKEN", "PATIENT_BUSY")
    assert listed == [booked.appointment.id]
    assert seen == booked.appointment.id


def test_a_doctor_who_says_why_reads_what_is_not_theirs(clinic: Clinic):
    patient, stranger = str(uuid.uuid4()), clinic.new_doctor()
    with Client(targets(clinic), clinic.token(Role.PATIENT, patient)) as client:
        booked = client.appointments.Book(wish(patient, clinic.new_doctor(), 9)).appointment
    request = GetAppointmentRequest(id=booked.id)
    with Client(targets(clinic), clinic.token(Role.DOCTOR, stranger)) as client:
        with pytest.raises(TelemedError) as refused:
            client.appointments.GetAppointment(request)
        why = breaking_the_glass("bewusstlos gefunden, 100 % auf die Vorgeschichte angewiesen, Dr. Süß")
        read = client.appointments.GetAppointment(request, metadata=why)
    assert refused.value.code is grpc.StatusCode.NOT_FOUND
    assert read == booked


async def test_a_service_that_is_away_is_an_error_that_may_be_tried_again():
    nowhere = Targets.at("127.0.0.1:1")
    async with AsyncClient(nowhere, "t", deadline=3.0) as client:
        with pytest.raises(TelemedError) as failed:
            await client.appointments.ListAppointments(ListAppointmentsRequest())
    assert failed.value.code is grpc.StatusCode.UNAVAILABLE
    assert failed.value.retry_after == 1.0
