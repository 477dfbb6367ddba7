"""MatchDoctors over gRPC: the patient's own doctor first, what is offered in and outside a wish, and refusals."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.type.date_pb2 import Date
from google.type.timeofday_pb2 import TimeOfDay
from telemed.doctor.v1 import doctor_service_pb2 as pb
from telemed.type.v1 import scheduling_pb2

from chassis.context import Role
from chassis.protos import to_timestamp
from doctor_svc.settings import RuleSettings
from kernel.appointment_status import AppointmentStatus
from tests.fix_doctors import WORKING_DAYS, DoctorClinic, a_doctor, a_rule, a_visit, change_of, seed
from tests.fix_spans import Spans
from tests.refusals import fields_of, reason_of, refusal
from tests.service.matching_harness import (
    GENERAL,
    LONG_AGO,
    MORNING_OF_MONDAY,
    PATIENT,
    completed_visits,
    ids,
    match,
    starts,
    working_mondays,
)


async def test_the_patients_own_doctor_comes_first_with_reasons_and_slots(doctors: DoctorClinic) -> None:
    own = a_doctor(rating=4.8, rating_count=40, years_experience=12)
    star = a_doctor(rating=5.0, rating_count=400, years_experience=30)
    await working_mondays(doctors, own, star)
    revision = await completed_visits(doctors, own, 3)
    first, second = await match(
        doctors, specialty_required="cardiology", at_least_revision=revision, **MORNING_OF_MONDAY
    )
    assert (first.doctor_id, second.doctor_id) == (own.doctor_id, star.doctor_id)
    assert first.is_preferred_doctor
    assert first.previous_visits == 3
    assert first.match_score > 0.8 > second.match_score
    assert list(first.match_reasons) == [
        "Previous patient - 3 consultation(s) with this doctor",
        "Specializes in cardiology",
        "Highly rated (4.8/5.0)",
        "12 years of experience",
        "4 free time(s) in the wished window",
    ]
    assert first.components.continuity == first.components.specialty == first.components.availability == 1
    assert starts(first.slots) == ["Mon 09:00", "Mon 09:40", "Mon 10:20", "Mon 11:00"]
    assert (first.slots[0].buffer_minutes, first.slots[0].max_concurrent_appointments) == (10, 1)
    assert (second.is_preferred_doctor, second.previous_visits) == (False, 0)


@pytest.mark.parametrize("switched_off_by", ["the patient", "the clinic"])
async def test_history_does_not_count_where_it_is_switched_off(
    doctor_clinic: DoctorClinic, switched_off_by: str
) -> None:
    own, star = a_doctor(rating=3.0, rating_count=40), a_doctor(rating=5.0, rating_count=400)
    await working_mondays(doctor_clinic, own, star)
    clinic_switch = switched_off_by == "the clinic"
    doctor_clinic.rules = RuleSettings(enable_history_prioritization=not clinic_switch)
    async with doctor_clinic.opened():
        revision = await completed_visits(doctor_clinic, own, 3)
        found = await match(
            doctor_clinic,
            allow_history_prioritization=clinic_switch,
            at_least_revision=revision,
            **MORNING_OF_MONDAY,
        )
    assert ids(found) == [star.doctor_id, own.doctor_id]
    assert found[1].is_preferred_doctor


async def test_visits_that_did_not_take_place_make_no_history(doctors: DoctorClinic) -> None:
    doctor = a_doctor()
    await working_mondays(doctors, doctor)
    revision = doctors.feed.write(
        change_of(a_visit(doctor.doctor_id, LONG_AGO, patient_id=PATIENT, status=AppointmentStatus.CANCELLED)),
        change_of(a_visit(doctor.doctor_id, LONG_AGO, patient_id=PATIENT, status=AppointmentStatus.NO_SHOW)),
        change_of(a_visit(doctor.doctor_id, LONG_AGO, status=AppointmentStatus.COMPLETED)),
    )
    (found,) = await match(doctors, at_least_revision=revision, **MORNING_OF_MONDAY)
    assert (found.is_preferred_doctor, found.previous_visits) == (False, 0)


async def test_a_specialty_is_found_in_any_case_and_among_the_sub_specialties(doctors: DoctorClinic) -> None:
    main = a_doctor(specialty="Cardiology", rating=4.9, rating_count=90)
    sub = a_doctor(specialty="Internal Medicine", sub_specialties=("CARDIOLOGY",))
    other = a_doctor(specialty="Dermatology")
    unverified = a_doctor(specialty="Cardiology", verified=False)
    await working_mondays(doctors, main, sub, other, unverified)
    found = await match(doctors, specialty_required=" cardiOLOGY ", **MORNING_OF_MONDAY)
    assert ids(found) == [main.doctor_id, sub.doctor_id]
    assert len(await match(doctors, **MORNING_OF_MONDAY)) == 3


async def test_a_doctor_asked_for_is_told_even_without_a_free_time(doctors: DoctorClinic) -> None:
    doctor = a_doctor()
    await seed(doctors.database, [doctor], [])
    (found,) = await match(doctors, doctor_id=doctor.doctor_id, **MORNING_OF_MONDAY)
    assert not found.slots
    assert not found.other_slots
    assert await match(doctors, **MORNING_OF_MONDAY) == []


async def test_no_more_doctors_come_than_asked_for(doctors: DoctorClinic) -> None:
    await working_mondays(doctors, *(a_doctor() for _ in range(12)))
    assert len(await match(doctors, **MORNING_OF_MONDAY)) == 10
    assert len(await match(doctors, max_results=3, **MORNING_OF_MONDAY)) == 3


@pytest.mark.parametrize(
    ("fields", "code", "reason", "message"),
    [
        (
            {"specialty_required": "cardiology"},
            grpc.StatusCode.NOT_FOUND,
            "SPECIALTY_NOT_AVAILABLE",
            "No cardiology doctors available at this time",
        ),
        ({"doctor_id": str(uuid4())}, grpc.StatusCode.NOT_FOUND, "DOCTOR_NOT_FOUND", "there is no such doctor"),
        (
            {"doctor_id": "unverified"},
            grpc.StatusCode.FAILED_PRECONDITION,
            "DOCTOR_UNVERIFIED",
            "this doctor is not verified yet and cannot be booked",
        ),
        (
            {"doctor_id": "verified", "specialty_required": "Neurology"},
            grpc.StatusCode.NOT_FOUND,
            "SPECIALTY_NOT_AVAILABLE",
            "No Neurology doctors available at this time",
        ),
        (
            {"patient_id": str(uuid4())},
            grpc.StatusCode.PERMISSION_DENIED,
            "PERMISSION_DENIED",
            "a patient may look for doctors for themselves alone",
        ),
    ],
)
async def test_a_wish_that_cannot_be_met_says_why(
    doctors: DoctorClinic, fields: dict[str, str], code: grpc.StatusCode, reason: str, message: str
) -> None:
    known = {
        "verified": a_doctor(specialty="Dermatology"),
        "unverified": a_doctor(specialty="Cardiology", verified=False),
    }
    await working_mondays(doctors, *known.values())
    given = {name: known[value].doctor_id if value in known else value for name, value in fields.items()}
    error = await refusal(match(doctors, **given))
    assert (error.code(), reason_of(error), error.details()) == (code, reason, message)


async def test_a_doctor_matches_with_themselves_alone_and_staff_with_anyone(doctors: DoctorClinic) -> None:
    doctor, other = a_doctor(), a_doctor()
    await working_mondays(doctors, doctor, other)
    request = pb.MatchDoctorsRequest(patient_id=PATIENT, appointment_type=GENERAL, doctor_id=doctor.doctor_id)
    for caller in (doctors.as_(Role.DOCTOR, doctor.doctor_id), doctors.as_(Role.ADMIN), doctors.as_(Role.SERVICE)):
        assert len((await doctors.service.MatchDoctors(request, metadata=caller)).matches) == 1
    for doctor_id in (other.doctor_id, ""):
        request.doctor_id = doctor_id
        error = await refusal(
            doctors.service.MatchDoctors(request, metadata=doctors.as_(Role.DOCTOR, doctor.doctor_id))
        )
        assert error.code() is grpc.StatusCode.PERMISSION_DENIED


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"appointment_type": scheduling_pb2.APPOINTMENT_TYPE_UNSPECIFIED}, "appointment_type"),
        ({"doctor_id": "x"}, "doctor_id"),
        ({"duration_minutes": 4}, "duration_minutes"),
        ({"timezone": "America"}, "timezone"),
        ({"specialty_required": "a\0b"}, "specialty_required"),
        ({"specialty_required": "x" * 101}, "specialty_required"),
        ({"max_results": 51}, "max_results"),
        ({"max_results": -1}, "max_results"),
        ({"preferred_date": Date(year=2026, month=13, day=1)}, "preferred_date"),
        ({"preferred_date": Date(year=9999, month=12, day=31)}, "preferred_date"),
        ({"preferred_time_start": TimeOfDay(hours=9)}, "preferred_time_start"),
        (MORNING_OF_MONDAY | {"preferred_time_end": TimeOfDay(hours=8)}, "preferred_time_end"),
        (MORNING_OF_MONDAY | {"preferred_time_end": TimeOfDay(hours=25)}, "preferred_time_end"),
        ({"start_time": to_timestamp(datetime(9999, 12, 31, tzinfo=UTC))}, "start_time"),
    ],
)
async def test_a_wrong_field_is_named(doctors: DoctorClinic, fields: dict[str, Any], named: str) -> None:
    error = await refusal(match(doctors, **fields))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert fields_of(error) == [named]


@pytest.mark.parametrize("count", [5, 500])
async def test_a_match_is_one_statement_and_one_more_for_who_is_new_however_many_doctors_there_are(
    doctors: DoctorClinic, spans: Spans, count: int
) -> None:
    everyone = [a_doctor() for _ in range(count)]
    await seed(doctors.database, everyone, [a_rule(doctor, day) for doctor in everyone for day in WORKING_DAYS])
    for expected in (["find_schedules", "get_schedules"], ["find_schedules"]):
        spans.exporter.clear()
        assert len(await match(doctors, max_results=50, **MORNING_OF_MONDAY)) == min(count, 50)
        (server,) = spans.named("telemed.doctor.v1.DoctorService/MatchDoctors")
        statements = [span for span in spans.all() if span.parent and span.parent.span_id == server.context.span_id]
        assert [span.name for span in statements] == expected
