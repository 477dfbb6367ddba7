"""The appointment service over gRPC, with a doctor service that says what the test wants."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import grpc
import pytest
from telemed.appointment.v1 import appointment_pb2
from telemed.appointment.v1 import appointment_service_pb2 as pb
from telemed.type.v1 import scheduling_pb2

from chassis.context import Role
from chassis.protos import to_timestamp
from tests.fix_ledger import NOW, TEN
from tests.fix_practice import GENERAL, Practice, offered
from tests.refusals import detail, fields_of, reason_of, refusal


@pytest.fixture
def clinic(practice: Practice) -> Practice:
    return practice


async def test_a_smart_booking_takes_the_best_doctors_first_time_and_names_the_rest(clinic: Practice):
    later = TEN + timedelta(minutes=40)
    best = clinic.doctors.offer(slots=[offered(TEN), offered(later)], is_preferred_doctor=True)
    clinic.doctors.offer(slots=[offered(TEN)])
    reply = await clinic.smart_book()
    assert reply.appointment.doctor_id == best.doctor_id
    assert reply.appointment.start_time == to_timestamp(TEN)
    assert reply.appointment.status == appointment_pb2.APPOINTMENT_STATUS_CONFIRMED
    assert reply.is_preferred_doctor
    assert list(reply.match_reasons) == ["Specializes in cardiology"]
    assert [slot.start_time for slot in reply.alternative_slots] == [to_timestamp(later)]


async def test_losing_a_race_means_the_next_slot(clinic: Practice):
    times = [TEN + timedelta(minutes=40 * n) for n in range(5)]
    clinic.doctors.offer(slots=[offered(start) for start in times])
    replies = await asyncio.gather(*(clinic.smart_book() for _ in range(5)))
    assert sorted(r.appointment.start_time.seconds for r in replies) == [int(t.timestamp()) for t in times]


async def test_more_wishes_than_slots_end_in_no_availability_with_alternatives(clinic: Practice):
    outside = TEN + timedelta(hours=5)
    clinic.doctors.offer(
        slots=[offered(TEN + timedelta(minutes=40 * n)) for n in range(3)], other_slots=[offered(outside)]
    )
    results = await asyncio.gather(*(clinic.smart_book() for _ in range(40)), return_exceptions=True)
    refused = [r for r in results if isinstance(r, grpc.aio.AioRpcError)]
    assert len(results) - len(refused) == 3
    assert Counter(reason_of(r) for r in refused) == {"NO_AVAILABILITY": 37}
    slots = detail(refused[0], scheduling_pb2.Alternatives()).slots
    assert [slot.start_time for slot in slots] == [to_timestamp(outside)]


async def test_two_hundred_bookers_of_one_slot_over_grpc(clinic: Practice):
    match = clinic.doctors.offer(exact_slot=offered(TEN), slots=[offered(TEN + timedelta(minutes=40))])
    results = await asyncio.gather(*(clinic.book(match) for _ in range(200)), return_exceptions=True)
    refused = [r for r in results if isinstance(r, grpc.aio.AioRpcError)]
    assert Counter(reason_of(r) for r in refused) == {"SLOT_TAKEN": 199}
    assert refused[0].code() is grpc.StatusCode.ABORTED
    assert detail(refused[0], scheduling_pb2.Alternatives()).slots


async def test_twenty_twins_get_one_appointment_and_equal_answers(clinic: Practice):
    clinic.doctors.offer(slots=[offered(TEN + timedelta(minutes=40 * n)) for n in range(9)])
    patient = str(uuid4())
    replies = await asyncio.gather(*(clinic.smart_book(patient_id=patient, request_id="k-1") for _ in range(20)))
    assert len({r.SerializeToString(deterministic=True) for r in replies}) == 1
    listed = await clinic.appointments.ListAppointments(
        pb.ListAppointmentsRequest(patient_id=patient), metadata=clinic.callers.metadata(Role.ADMIN)
    )
    assert len(listed.appointments) == 1


async def test_a_repeat_is_answered_although_the_doctor_service_has_nothing_left(clinic: Practice):
    clinic.doctors.offer(slots=[offered(TEN)])
    patient = str(uuid4())
    first = await clinic.smart_book(patient_id=patient, request_id="k-2")
    clinic.doctors.matches.clear()
    assert await clinic.smart_book(patient_id=patient, request_id="k-2") == first


async def test_a_key_with_another_body_is_refused(clinic: Practice):
    clinic.doctors.offer(slots=[offered(TEN)])
    patient = str(uuid4())
    await clinic.smart_book(patient_id=patient, request_id="k-3")
    error = await refusal(clinic.smart_book(patient_id=patient, request_id="k-3", duration_minutes=25))
    assert (error.code(), reason_of(error)) == (grpc.StatusCode.INVALID_ARGUMENT, "IDEMPOTENCY_KEY_REUSED")


async def test_a_time_outside_the_hours_is_refused_with_times_inside(clinic: Practice):
    match = clinic.doctors.offer(slots=[offered(TEN)])
    error = await refusal(clinic.book(match, start=TEN + timedelta(hours=9)))
    assert (error.code(), reason_of(error)) == (grpc.StatusCode.FAILED_PRECONDITION, "OUTSIDE_WORKING_HOURS")
    assert [slot.start_time for slot in detail(error, scheduling_pb2.Alternatives()).slots] == [to_timestamp(TEN)]


@pytest.mark.parametrize(
    ("start", "reason"),
    [
        (NOW + timedelta(hours=1, minutes=59), "TOO_SOON"),
        (NOW - timedelta(days=1), "TOO_SOON"),
        (NOW + timedelta(days=91), "TOO_FAR_AHEAD"),
    ],
)
async def test_notice_and_horizon_are_kept(clinic: Practice, start: datetime, reason: str):
    match = clinic.doctors.offer(exact_slot=offered(start))
    error = await refusal(clinic.book(match, start=start))
    assert (error.code(), reason_of(error)) == (grpc.StatusCode.FAILED_PRECONDITION, reason)


async def test_the_notice_refusal_names_the_minutes_that_are_missing(clinic: Practice):
    match = clinic.doctors.offer()
    error = await refusal(clinic.book(match, start=NOW + timedelta(minutes=85)))
    assert "needs 35 more minutes of notice" in (error.details() or "")


async def test_exactly_two_hours_ahead_is_enough(clinic: Practice):
    start = NOW + timedelta(hours=2)
    reply = await clinic.book(clinic.doctors.offer(exact_slot=offered(start)), start=start)
    assert reply.appointment.start_time == to_timestamp(start)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"patient_id": "nonsense"}, "patient_id"),
        ({"patient_id": "{0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b}"}, "patient_id"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": "America"}, "timezone"),
        ({"duration_minutes": -5}, "duration_minutes"),
        ({"duration_minutes": 241}, "duration_minutes"),
        ({"appointment_type": 0}, "appointment_type"),
        ({"appointment_type": 99}, "appointment_type"),
        ({"patient_notes": "x" * 2001}, "patient_notes"),
        ({"patient_notes": "a\x00b"}, "patient_notes"),
        ({"request_id": "a b"}, "request_id"),
        ({"request_id": "x" * 256}, "request_id"),
        ({"preferred_date": {"year": 2026, "month": 2, "day": 30}}, "preferred_date"),
        ({"preferred_time_start": {"hours": 9}}, "preferred_date"),
    ],
)
async def test_bad_fields_are_named_and_nothing_is_asked_of_the_doctor_service(
    clinic: Practice, fields: dict[str, Any], named: str
):
    error = await refusal(clinic.smart_book(**fields))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert fields_of(error) == [named]
    assert clinic.doctors.calls == 0


async def test_a_patient_books_for_nobody_else(clinic: Practice):
    request = pb.SmartBookRequest(patient_id=str(uuid4()), appointment_type=GENERAL)
    error = await refusal(clinic.appointments.SmartBook(request, metadata=clinic.callers.metadata(Role.PATIENT)))
    assert error.code() is grpc.StatusCode.PERMISSION_DENIED


async def test_someone_elses_appointment_does_not_exist_for_a_patient(clinic: Practice):
    booked = await clinic.book(clinic.doctors.offer(exact_slot=offered(TEN)))
    get = pb.GetAppointmentRequest(id=booked.appointment.id)
    mine = clinic.callers.metadata(Role.PATIENT, booked.appointment.patient_id)
    assert (await clinic.appointments.GetAppointment(get, metadata=mine)).id == booked.appointment.id
    for stranger in (Role.PATIENT, Role.DOCTOR):
        error = await refusal(clinic.appointments.GetAppointment(get, metadata=clinic.callers.metadata(stranger)))
        assert (error.code(), reason_of(error)) == (grpc.StatusCode.NOT_FOUND, "APPOINTMENT_NOT_FOUND")


async def test_a_cancelled_time_is_free_at_once(clinic: Practice):
    match = clinic.doctors.offer(exact_slot=offered(TEN))
    booked = await clinic.book(match)
    cancel = pb.CancelAppointmentRequest(id=booked.appointment.id, reason="ill", request_id="c-1")
    caller = clinic.callers.metadata(Role.PATIENT, booked.appointment.patient_id)
    first = await clinic.appointments.CancelAppointment(cancel, metadata=caller)
    assert first.appointment.status == appointment_pb2.APPOINTMENT_STATUS_CANCELLED
    assert await clinic.appointments.CancelAppointment(cancel, metadata=caller) == first
    assert (await clinic.book(match)).appointment.start_time == to_timestamp(TEN)


async def test_a_second_cancellation_is_the_wrong_state(clinic: Practice):
    booked = await clinic.book(clinic.doctors.offer(exact_slot=offered(TEN)))
    cancel = pb.CancelAppointmentRequest(id=booked.appointment.id)
    await clinic.appointments.CancelAppointment(cancel, metadata=clinic.callers.metadata(Role.ADMIN))
    error = await refusal(clinic.appointments.CancelAppointment(cancel, metadata=clinic.callers.metadata(Role.ADMIN)))
    assert reason_of(error) == "WRONG_STATE"


async def test_a_visit_is_started_and_completed_by_its_doctor_and_by_no_patient(clinic: Practice):
    start = NOW + timedelta(hours=2)
    match = clinic.doctors.offer(exact_slot=offered(start))
    booked = (await clinic.book(match, start=start)).appointment
    doctor = clinic.callers.metadata(Role.DOCTOR, match.doctor_id)
    begin = pb.StartAppointmentRequest(id=booked.id)
    error = await refusal(clinic.appointments.StartAppointment(begin, metadata=doctor))
    assert reason_of(error) == "TOO_EARLY"
    clinic.now[0] = start
    patient = clinic.callers.metadata(Role.PATIENT, booked.patient_id)
    error = await refusal(clinic.appointments.StartAppointment(begin, metadata=patient))
    assert error.code() is grpc.StatusCode.PERMISSION_DENIED
    stranger = clinic.callers.metadata(Role.DOCTOR)
    error = await refusal(clinic.appointments.StartAppointment(begin, metadata=stranger))
    assert reason_of(error) == "APPOINTMENT_NOT_FOUND"
    begun = await clinic.appointments.StartAppointment(begin, metadata=doctor)
    assert begun.appointment.status == appointment_pb2.APPOINTMENT_STATUS_IN_PROGRESS
    stale = pb.CompleteAppointmentRequest(id=booked.id, etag=booked.etag)
    error = await refusal(clinic.appointments.CompleteAppointment(stale, metadata=doctor))
    assert reason_of(error) == "ETAG_MISMATCH"
    complete = pb.CompleteAppointmentRequest(id=booked.id, etag=begun.appointment.etag, request_id="done")
    over = await clinic.appointments.CompleteAppointment(complete, metadata=doctor)
    assert over.appointment.status == appointment_pb2.APPOINTMENT_STATUS_COMPLETED
    assert await clinic.appointments.CompleteAppointment(complete, metadata=doctor) == over


async def test_a_missed_visit_frees_what_is_left_of_its_time(clinic: Practice):
    start = NOW + timedelta(hours=2)
    match = clinic.doctors.offer(exact_slot=offered(start))
    booked = (await clinic.book(match, start=start)).appointment
    clinic.now[0] = start
    missed = await clinic.appointments.MarkNoShow(
        pb.MarkNoShowRequest(id=booked.id), metadata=clinic.callers.metadata(Role.ADMIN)
    )
    assert missed.appointment.status == appointment_pb2.APPOINTMENT_STATUS_NO_SHOW
    clinic.now[0] = NOW
    assert (await clinic.book(match, start=start)).appointment.start_time == to_timestamp(start)


async def test_conflicts_are_told_without_telling_whose(clinic: Practice):
    free = TEN + timedelta(minutes=40)
    match = clinic.doctors.offer(exact_slot=offered(TEN), slots=[offered(TEN + timedelta(hours=6)), offered(free)])
    booked = await clinic.book(match)
    question = pb.CheckConflictsRequest(
        doctor_id=match.doctor_id, start_time=to_timestamp(TEN), end_time=to_timestamp(TEN + timedelta(minutes=30))
    )
    stranger = await clinic.appointments.CheckConflicts(question, metadata=clinic.callers.metadata(Role.PATIENT))
    assert stranger.has_conflict
    assert [c.id for c in stranger.conflicting_appointments] == [""]
    assert stranger.suggested_alternatives[0].start_time == to_timestamp(free)
    staff = await clinic.appointments.CheckConflicts(question, metadata=clinic.callers.metadata(Role.ADMIN))
    assert [c.id for c in staff.conflicting_appointments] == [booked.appointment.id]
    question.exclude_appointment_id = booked.appointment.id
    excluded = await clinic.appointments.CheckConflicts(question, metadata=clinic.callers.metadata(Role.ADMIN))
    assert not excluded.has_conflict
    assert not excluded.suggested_alternatives


async def test_lists_page_by_key_without_a_gap_or_a_repeat(clinic: Practice):
    patient, booked = str(uuid4()), []
    for day in range(7):
        start = TEN + timedelta(days=day)
        reply = await clinic.book(clinic.doctors.offer(exact_slot=offered(start)), start=start, patient_id=patient)
        clinic.doctors.matches.clear()
        booked.append(reply.appointment.id)
    listed, token = [], ""
    while True:
        request = pb.ListAppointmentsRequest(patient_id=patient, page_size=3, page_token=token)
        page = await clinic.appointments.ListAppointments(request, metadata=clinic.callers.metadata(Role.ADMIN))
        listed += [a.id for a in page.appointments]
        token = page.next_page_token
        if not token:
            break
    assert listed == booked[::-1]


async def test_the_change_feed_streams_what_is_booked_and_resumes(clinic: Practice):
    match = clinic.doctors.offer(exact_slot=offered(TEN))
    booked = await clinic.book(match)
    admin = clinic.callers.metadata(Role.SERVICE)

    async def first_change(after: str) -> appointment_pb2.Change:
        async with asyncio.timeout(5):
            async for reply in clinic.appointments.WatchChanges(
                pb.WatchChangesRequest(after_revision=after), metadata=admin
            ):
                if reply.HasField("change"):
                    return reply.change
        raise AssertionError("the stream ended")

    change = await first_change("")
    assert (change.revision, change.version, change.appointment.id) == ("1", 1, booked.appointment.id)
    cancel = pb.CancelAppointmentRequest(id=booked.appointment.id)
    await clinic.appointments.CancelAppointment(cancel, metadata=admin)
    for after in ("1", booked.revision):
        change = await first_change(after)
        assert (change.revision, change.version, change.kind) == ("2", 2, appointment_pb2.CHANGE_KIND_CANCELLED)


async def test_no_token_and_a_foreign_token_are_unauthenticated(clinic: Practice):
    for metadata in ([], [("authorization", "Bearer x.y.z")], [("authorization", "Basic abc")]):
        error = await refusal(clinic.appointments.GetAppointment(pb.GetAppointmentRequest(), metadata=metadata))
        assert error.code() is grpc.StatusCode.UNAUTHENTICATED
