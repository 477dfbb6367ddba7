"""What becomes of an appointment after it was made: approval, arrivals, the rating, and who may say so."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import grpc
import pytest
from telemed.appointment.v1 import appointment_pb2
from telemed.appointment.v1 import appointment_service_pb2 as pb

from chassis.context import Role
from chassis.protos import to_timestamp
from tests.fix_ledger import NOW, TEN
from tests.fix_practice import Practice, offered
from tests.refusals import fields_of, reason_of, refusal

PENDING = appointment_pb2.APPOINTMENT_STATUS_PENDING
CONFIRMED = appointment_pb2.APPOINTMENT_STATUS_CONFIRMED
PATIENT, DOCTOR = appointment_pb2.PARTICIPANT_PATIENT, appointment_pb2.PARTICIPANT_DOCTOR
START = NOW + timedelta(hours=2)


async def completed_visit(practice: Practice) -> appointment_pb2.Appointment:
    match = practice.doctors.offer(exact_slot=offered(START))
    booked = (await practice.book(match, start=START)).appointment
    practice.now[0] = START
    staff = practice.callers.metadata(Role.ADMIN)
    await practice.appointments.StartAppointment(pb.StartAppointmentRequest(id=booked.id), metadata=staff)
    over = await practice.appointments.CompleteAppointment(pb.CompleteAppointmentRequest(id=booked.id), metadata=staff)
    completed: appointment_pb2.Appointment = over.appointment
    return completed


async def rate(practice: Practice, visit: appointment_pb2.Appointment, **fields: Any) -> pb.RateVisitResponse:
    who = practice.callers.metadata(Role.PATIENT, visit.patient_id)
    return await practice.appointments.RateVisit(pb.RateVisitRequest(id=visit.id, **fields), metadata=who)


async def changes(practice: Practice, count: int) -> list[appointment_pb2.Change]:
    """The first changes of the feed."""
    found: list[appointment_pb2.Change] = []
    async with asyncio.timeout(5):
        async for reply in practice.appointments.WatchChanges(
            pb.WatchChangesRequest(), metadata=practice.callers.metadata(Role.SERVICE)
        ):
            if reply.HasField("change"):
                found.append(reply.change)
            if len(found) == count:
                break
    return found


async def test_a_pending_visit_is_approved_by_its_doctor_and_by_nobody_elses(practice: Practice):
    match = practice.doctors.offer(exact_slot=offered(TEN), requires_approval=True)
    booked = (await practice.book(match)).appointment
    assert booked.status == PENDING
    approve = pb.ApproveAppointmentRequest(id=booked.id, etag=booked.etag, request_id="yes")
    patient = practice.callers.metadata(Role.PATIENT, booked.patient_id)
    error = await refusal(practice.appointments.ApproveAppointment(approve, metadata=patient))
    assert error.code() is grpc.StatusCode.PERMISSION_DENIED
    stranger = practice.callers.metadata(Role.DOCTOR)
    error = await refusal(practice.appointments.ApproveAppointment(approve, metadata=stranger))
    assert reason_of(error) == "APPOINTMENT_NOT_FOUND"
    doctor = practice.callers.metadata(Role.DOCTOR, match.doctor_id)
    approved = await practice.appointments.ApproveAppointment(approve, metadata=doctor)
    assert approved.appointment.status == CONFIRMED
    assert await practice.appointments.ApproveAppointment(approve, metadata=doctor) == approved
    approve.request_id = approve.etag = ""
    error = await refusal(practice.appointments.ApproveAppointment(approve, metadata=doctor))
    assert (reason_of(error), error.details()) == (
        "WRONG_STATE", "an appointment that is CONFIRMED cannot become approved",
    )  # fmt: skip


async def test_a_doctor_says_no_by_cancelling_without_notice(practice: Practice):
    match = practice.doctors.offer(exact_slot=offered(START), requires_approval=True)
    booked = (await practice.book(match, start=START)).appointment
    doctor = practice.callers.metadata(Role.DOCTOR, match.doctor_id)
    no = pb.CancelAppointmentRequest(id=booked.id, reason="on leave")
    gone = await practice.appointments.CancelAppointment(no, metadata=doctor)
    assert gone.appointment.status == appointment_pb2.APPOINTMENT_STATUS_CANCELLED


async def test_the_first_arrival_of_each_counts_and_the_second_changes_nothing(practice: Practice):
    booked = (await practice.book(practice.doctors.offer(exact_slot=offered(START)), start=START)).appointment
    video = practice.callers.metadata(Role.SERVICE)

    async def arrive(who: Any) -> appointment_pb2.Appointment:
        request = pb.RecordArrivalRequest(id=booked.id, participant=who)
        return (await practice.appointments.RecordArrival(request, metadata=video)).appointment

    practice.now[0] = early = START - timedelta(minutes=5)
    first = await arrive(PATIENT)
    practice.now[0] = START
    assert await arrive(PATIENT) == first
    both = await arrive(DOCTOR)
    assert (both.patient_arrival_time, both.doctor_arrival_time) == (to_timestamp(early), to_timestamp(START))
    assert [change.version for change in await changes(practice, 3)] == [1, 2, 3]
    arrivals = (await changes(practice, 3))[1:]
    assert {change.kind for change in arrivals} == {appointment_pb2.CHANGE_KIND_ARRIVED}
    assert arrivals[1].appointment.patient_arrival_time == to_timestamp(early)


@pytest.mark.parametrize("role", [Role.PATIENT, Role.DOCTOR])
async def test_nobody_notes_their_own_arrival(practice: Practice, role: Role):
    request = pb.RecordArrivalRequest(id=str(uuid4()), participant=PATIENT)
    error = await refusal(practice.appointments.RecordArrival(request, metadata=practice.callers.metadata(role)))
    assert error.code() is grpc.StatusCode.PERMISSION_DENIED


@pytest.mark.parametrize("participant", [0, 9])
async def test_an_arrival_says_whose_it_is(practice: Practice, participant: Any):
    request = pb.RecordArrivalRequest(id=str(uuid4()), participant=participant)
    error = await refusal(
        practice.appointments.RecordArrival(request, metadata=practice.callers.metadata(Role.SERVICE))
    )
    assert fields_of(error) == ["participant"]


async def test_a_visit_is_rated_once_and_the_feed_tells_the_figure_and_never_the_words(practice: Practice):
    visit = await completed_visit(practice)
    rated = await rate(practice, visit, rating=4, comment="kind, but late", request_id="r-1")
    assert (rated.appointment.rating, rated.appointment.rating_comment) == (4, "kind, but late")
    assert await rate(practice, visit, rating=4, comment="kind, but late", request_id="r-1") == rated
    error = await refusal(rate(practice, visit, rating=5))
    assert (error.code(), reason_of(error)) == (grpc.StatusCode.ALREADY_EXISTS, "ALREADY_RATED")
    error = await refusal(rate(practice, visit, rating=5, request_id="r-1"))
    assert reason_of(error) == "IDEMPOTENCY_KEY_REUSED"
    change = (await changes(practice, 4))[-1]
    assert (change.kind, change.appointment.rating) == (appointment_pb2.CHANGE_KIND_RATED, 4)
    assert change.appointment.rating_comment == ""


async def test_of_twenty_ratings_at_once_one_is_kept(practice: Practice):
    visit = await completed_visit(practice)
    stars = [1 + number % 5 for number in range(20)]
    results = await asyncio.gather(*(rate(practice, visit, rating=star) for star in stars), return_exceptions=True)
    kept = [result for result in results if isinstance(result, pb.RateVisitResponse)]
    assert len(kept) == 1
    assert {reason_of(result) for result in results if isinstance(result, grpc.aio.AioRpcError)} == {"ALREADY_RATED"}


async def test_only_the_visits_patient_rates_and_only_what_took_place(practice: Practice):
    visit = await completed_visit(practice)
    request = pb.RateVisitRequest(id=visit.id, rating=5)
    for role, subject in ((Role.DOCTOR, visit.doctor_id), (Role.ADMIN, str(uuid4()))):
        who = practice.callers.metadata(role, subject)
        error = await refusal(practice.appointments.RateVisit(request, metadata=who))
        assert error.code() is grpc.StatusCode.PERMISSION_DENIED
    stranger = practice.callers.metadata(Role.PATIENT)
    assert reason_of(await refusal(practice.appointments.RateVisit(request, metadata=stranger))) == (
        "APPOINTMENT_NOT_FOUND"
    )
    later = START + timedelta(days=1)
    coming = (await practice.book(practice.doctors.offer(exact_slot=offered(later)), start=later)).appointment
    assert reason_of(await refusal(rate(practice, coming, rating=5))) == "WRONG_STATE"


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"rating": 0}, "rating"),
        ({"rating": 6}, "rating"),
        ({"rating": -1}, "rating"),
        ({"rating": 3, "comment": "x" * 2001}, "comment"),
        ({"rating": 3, "comment": "a\x00b"}, "comment"),
    ],
)
async def test_a_bad_rating_is_refused_by_field(practice: Practice, fields: dict[str, Any], named: str):
    visit = appointment_pb2.Appointment(id=str(uuid4()), patient_id=str(uuid4()))
    assert fields_of(await refusal(rate(practice, visit, **fields))) == [named]
