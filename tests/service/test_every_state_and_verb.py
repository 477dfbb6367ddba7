"""Every verb of the contract on an appointment in every state: it does what the table says, or changes nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import grpc
import pytest
from telemed.appointment.v1 import appointment_pb2
from telemed.appointment.v1 import appointment_service_pb2 as pb

from appointment_svc.domain.appointment import Appointment
from appointment_svc.storage.imports import ImportedAppointment, import_appointments
from chassis.context import Role
from chassis.db import Database
from chassis.protos import to_timestamp
from kernel.appointment_status import AppointmentStatus
from tests.fix_ledger import NOW, TEN, draft
from tests.fix_practice import Practice, offered
from tests.refusals import reason_of

HELD, PENDING, CONFIRMED, IN_PROGRESS, COMPLETED, CANCELLED, NO_SHOW, EXPIRED = AppointmentStatus
LATER = TEN + timedelta(days=1)

# What each verb makes of an appointment in each state; in any other state it is refused.
TABLE: dict[str, dict[AppointmentStatus, AppointmentStatus]] = {
    "ConfirmHold": {HELD: CONFIRMED},
    "ApproveAppointment": {PENDING: CONFIRMED},
    "StartAppointment": {CONFIRMED: IN_PROGRESS},
    "CompleteAppointment": {IN_PROGRESS: COMPLETED},
    "MarkNoShow": {CONFIRMED: NO_SHOW},
    "CancelAppointment": dict.fromkeys((HELD, PENDING, CONFIRMED, IN_PROGRESS), CANCELLED),
    "RescheduleAppointment": {state: state for state in (HELD, PENDING, CONFIRMED)},
    "RecordArrival": {state: state for state in (CONFIRMED, IN_PROGRESS)},
    "RateVisit": {COMPLETED: COMPLETED},
}
FIELDS: dict[str, dict[str, Any]] = {
    "RescheduleAppointment": {"start_time": to_timestamp(LATER)},
    "RecordArrival": {"participant": appointment_pb2.PARTICIPANT_PATIENT},
    "RateVisit": {"rating": 5},
}


def test_the_table_has_every_rpc_that_changes_an_appointment():
    changing = {
        method.name
        for method in pb.DESCRIPTOR.services_by_name["AppointmentService"].methods
        if {"id", "request_id"} <= {field.name for field in method.input_type.fields}
    }
    assert set(TABLE) == changing


@pytest.mark.parametrize("verb", TABLE)
async def test_a_verb_does_what_the_table_says_in_each_state_or_refuses_and_changes_nothing(
    practice: Practice, appointment_db_url: str, verb: str
):
    doctor = practice.doctors.offer(exact_slot=offered(LATER))
    visits = await one_in_each_state(appointment_db_url)
    practice.now[0] = TEN
    for status, visit in visits.items():
        doctor.doctor_id = visit.doctor_id
        # The visit's doctor owes no notice.
        roles = {"RateVisit": (Role.PATIENT, visit.patient_id), "RecordArrival": (Role.SERVICE, "video")}
        role = roles.get(verb, (Role.DOCTOR, visit.doctor_id))
        call: Callable[..., Awaitable[Any]] = getattr(practice.appointments, verb)
        request = getattr(pb, f"{verb}Request")(id=visit.id, **FIELDS.get(verb, {}))
        (answer,) = await asyncio.gather(
            call(request, metadata=practice.callers.metadata(*role)), return_exceptions=True
        )
        seen = await practice.appointments.GetAppointment(
            pb.GetAppointmentRequest(id=visit.id), metadata=practice.callers.metadata(Role.ADMIN)
        )
        if status in TABLE[verb]:
            assert status_name(answer.appointment) == status_name(seen) == TABLE[verb][status]
            assert seen.etag == "2"
        else:
            wanted = "HOLD_EXPIRED" if (verb, status) == ("ConfirmHold", EXPIRED) else "WRONG_STATE"
            assert (answer.code(), reason_of(answer)) == (grpc.StatusCode.FAILED_PRECONDITION, wanted), status
            assert (status_name(seen), seen.etag) == (status, "1")


async def one_in_each_state(url: str) -> dict[AppointmentStatus, Appointment]:
    """Visits at ten, each of a patient and a doctor of its own."""
    ends = {HELD: TEN + timedelta(minutes=10), EXPIRED: NOW}
    visits = {
        status: replace(
            draft(doctor_id=str(uuid4()), patient_id=str(uuid4())).appointment,
            status=status,
            hold_expire_time=ends.get(status),
        )
        for status in AppointmentStatus
    }
    database = Database(url, size=1)
    await database.open()
    await import_appointments(database, [ImportedAppointment(visit, TEN.date()) for visit in visits.values()], NOW)
    await database.close()
    return visits


def status_name(appointment: appointment_pb2.Appointment) -> str:
    return appointment_pb2.AppointmentStatus.Name(appointment.status).removeprefix("APPOINTMENT_STATUS_")
