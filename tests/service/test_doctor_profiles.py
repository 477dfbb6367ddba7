"""Profiles and hours over gRPC: who may do what, what is taken and never shown, and calls that come twice."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.type.date_pb2 import Date
from google.type.timeofday_pb2 import TimeOfDay
from telemed.doctor.v1 import doctor_pb2
from telemed.doctor.v1 import doctor_service_pb2 as pb
from telemed.type.v1 import scheduling_pb2

from chassis.context import Role
from chassis.sql import Query
from doctor_svc.api.policy import POLICY
from tests.fix_doctors import NOON, DoctorClinic, a_doctor, seed
from tests.refusals import fields_of, reason_of, refusal

ADMIN = str(uuid4())
PROFILE: dict[str, Any] = {
    "first_name": " Ada ",
    "last_name": "Stone",
    "specialty": "Cardiology",
    "sub_specialties": ["Heart Rhythm"],
    "bio": "Listens first.",
    "years_experience": 12,
    "languages": ["en", "pt-BR"],
    "timezone": "America/New_York",
    "email": "ada@example.org",
    "license_number": "NY-1234",
    "license_jurisdictions": ["us-ny", "GB", "US-NY"],
    "max_daily_appointments": 12,
    "consultation_modes": [doctor_pb2.CONSULTATION_MODE_PHONE, doctor_pb2.CONSULTATION_MODE_VIDEO],
    "date_of_birth": Date(year=1980, month=5, day=17),
}
MORNING = {"morning_start_time": TimeOfDay(hours=9), "morning_end_time": TimeOfDay(hours=12)}


async def create(clinic: DoctorClinic, request_id: str = "", **fields: Any) -> doctor_pb2.Doctor:
    request = pb.CreateDoctorRequest(doctor=doctor_pb2.Doctor(**(PROFILE | fields)), request_id=request_id)
    return await clinic.service.CreateDoctor(request, metadata=clinic.as_(Role.ADMIN, ADMIN))


async def set_rule(
    clinic: DoctorClinic, doctor_id: str, caller: Any = None, request_id: str = "", **fields: Any
) -> doctor_pb2.AvailabilityRule:
    rule = doctor_pb2.AvailabilityRule(**fields)
    request = pb.SetAvailabilityRequest(doctor_id=doctor_id, rule=rule, request_id=request_id)
    return await clinic.service.SetAvailability(request, metadata=caller or clinic.as_(Role.ADMIN, ADMIN))


async def count(clinic: DoctorClinic, table: str) -> int:
    row = await clinic.database.one(Query("count", f"SELECT count(*) AS n FROM {table}"))
    assert row is not None
    return int(row["n"])


def test_every_rpc_has_a_row_in_the_policy() -> None:
    (service,) = pb.DESCRIPTOR.services_by_name.values()
    assert set(POLICY) == {f"{service.full_name}/{method.name}" for method in service.methods}


@pytest.mark.parametrize("role", Role)
async def test_administrators_alone_create_and_verify(doctors: DoctorClinic, role: Role) -> None:
    doctor = a_doctor(verified=False)
    await seed(doctors.database, [doctor], [])
    calls = [
        doctors.service.CreateDoctor(
            pb.CreateDoctorRequest(doctor=doctor_pb2.Doctor(**PROFILE)), metadata=doctors.as_(role)
        ),
        doctors.service.VerifyDoctor(
            pb.VerifyDoctorRequest(doctor_id=doctor.doctor_id), metadata=doctors.as_(role, doctor.doctor_id)
        ),
    ]
    for call in calls:
        if role is Role.ADMIN:
            await call
        else:
            assert (await refusal(call)).code() is grpc.StatusCode.PERMISSION_DENIED


async def test_a_new_doctor_is_unverified_and_their_private_details_are_never_shown(doctors: DoctorClinic) -> None:
    made = await create(doctors)
    assert (made.first_name, made.is_verified, made.rating, made.rating_count, made.etag) == ("Ada", False, 0, 0, "1")
    assert made.create_time.ToDatetime(UTC) == made.update_time.ToDatetime(UTC) == NOON
    shown = await doctors.service.GetDoctor(
        pb.GetDoctorRequest(doctor_id=made.doctor_id), metadata=doctors.as_(Role.DOCTOR, made.doctor_id)
    )
    assert shown == made
    assert list(shown.languages) == ["en", "pt-BR"]
    assert (list(shown.license_jurisdictions), shown.max_daily_appointments) == (["US-NY", "GB"], 12)
    assert list(shown.consultation_modes) == PROFILE["consultation_modes"]
    assert shown.is_active
    assert (shown.email, shown.license_number, shown.HasField("date_of_birth")) == ("", "", False)


async def test_an_e_mail_address_belongs_to_one_doctor_in_any_case_of_letters(doctors: DoctorClinic) -> None:
    await create(doctors)
    error = await refusal(create(doctors, email="ADA@Example.org"))
    assert (error.code(), reason_of(error)) == (grpc.StatusCode.ALREADY_EXISTS, "EMAIL_TAKEN")
    assert "ada" not in str(error.details()).lower()
    await create(doctors, email="")
    await create(doctors, email="")
    assert await count(doctors, "doctor") == 3


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"first_name": "  "}, "doctor.first_name"),
        ({"last_name": "x" * 101}, "doctor.last_name"),
        ({"last_name": "a\nb"}, "doctor.last_name"),
        ({"specialty": ""}, "doctor.specialty"),
        ({"sub_specialties": ["x"] * 21}, "doctor.sub_specialties"),
        ({"sub_specialties": ["x", ""]}, "doctor.sub_specialties[1]"),
        ({"bio": "x" * 4001}, "doctor.bio"),
        ({"bio": "a\0b"}, "doctor.bio"),
        ({"years_experience": 81}, "doctor.years_experience"),
        ({"years_experience": -1}, "doctor.years_experience"),
        ({"languages": ["en", "english!"]}, "doctor.languages[1]"),
        ({"timezone": ""}, "doctor.timezone"),
        ({"license_jurisdictions": ["GB", "USA"]}, "doctor.license_jurisdictions[1]"),
        ({"license_jurisdictions": [""]}, "doctor.license_jurisdictions[0]"),
        ({"license_jurisdictions": [f"US-{n}" for n in range(101)]}, "doctor.license_jurisdictions"),
        ({"max_daily_appointments": -1}, "doctor.max_daily_appointments"),
        ({"max_daily_appointments": 201}, "doctor.max_daily_appointments"),
        ({"consultation_modes": [1, 0]}, "doctor.consultation_modes[1]"),
        ({"consultation_modes": [9]}, "doctor.consultation_modes[0]"),
        ({"timezone": "America"}, "doctor.timezone"),
        ({"email": "ada at example"}, "doctor.email"),
        ({"email": "ada@localhost"}, "doctor.email"),
        ({"license_number": "a\tb"}, "doctor.license_number"),
        ({"date_of_birth": Date(year=2026, month=3, day=1)}, "doctor.date_of_birth"),
        ({"date_of_birth": Date(year=1980)}, "doctor.date_of_birth"),
    ],
)
async def test_a_profile_is_refused_by_the_field_that_is_wrong(
    doctors: DoctorClinic, fields: dict[str, Any], named: str
) -> None:
    error = await refusal(create(doctors, **fields))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert fields_of(error) == [named]
    assert await count(doctors, "doctor") == 0


async def test_every_wrong_field_is_named_at_once(doctors: DoctorClinic) -> None:
    error = await refusal(create(doctors, first_name="", years_experience=99, timezone="Mars/Olympus"))
    assert fields_of(error) == ["doctor.first_name", "doctor.years_experience", "doctor.timezone"]


async def test_an_unverified_doctor_is_known_to_themselves_and_staff_until_verified(doctors: DoctorClinic) -> None:
    doctor_id = (await create(doctors)).doctor_id
    request = pb.GetDoctorRequest(doctor_id=doctor_id)
    assert reason_of(await refusal(doctors.service.GetDoctor(request, metadata=doctors.as_(Role.PATIENT)))) == (
        "DOCTOR_NOT_FOUND"
    )
    await doctors.service.GetDoctor(request, metadata=doctors.as_(Role.SERVICE))
    verdict = pb.VerifyDoctorRequest(doctor_id=doctor_id)
    verified = await doctors.service.VerifyDoctor(verdict, metadata=doctors.as_(Role.ADMIN))
    assert (verified.is_verified, verified.etag) == (True, "2")
    again = await doctors.service.VerifyDoctor(verdict, metadata=doctors.as_(Role.ADMIN))
    assert again.etag == "2"
    assert await doctors.service.GetDoctor(request, metadata=doctors.as_(Role.PATIENT)) == verified
    verdict.is_verified = False
    await doctors.service.VerifyDoctor(verdict, metadata=doctors.as_(Role.ADMIN))
    assert (await refusal(doctors.service.GetDoctor(request, metadata=doctors.as_(Role.PATIENT)))).code() is (
        grpc.StatusCode.NOT_FOUND
    )


async def test_a_verdict_on_nobody_is_not_found(doctors: DoctorClinic) -> None:
    call = doctors.service.VerifyDoctor(
        pb.VerifyDoctorRequest(doctor_id=str(uuid4())), metadata=doctors.as_(Role.ADMIN)
    )
    assert reason_of(await refusal(call)) == "DOCTOR_NOT_FOUND"


async def test_twenty_twins_of_one_call_make_one_doctor_and_get_equal_answers(doctors: DoctorClinic) -> None:
    answers = await asyncio.gather(*(create(doctors, request_id="twin") for _ in range(20)))
    assert {answer.SerializeToString(deterministic=True) for answer in answers} == {
        answers[0].SerializeToString(deterministic=True)
    }
    assert await count(doctors, "doctor") == 1
    assert await count(doctors, "idempotency") == 1


async def test_a_request_id_is_good_for_one_wish_of_one_caller_and_method(doctors: DoctorClinic) -> None:
    made = await create(doctors, request_id="key")
    error = await refusal(create(doctors, request_id="key", first_name="Eve"))
    assert (error.code(), reason_of(error)) == (grpc.StatusCode.INVALID_ARGUMENT, "IDEMPOTENCY_KEY_REUSED")
    verdict = pb.VerifyDoctorRequest(doctor_id=made.doctor_id, request_id="key")
    assert (await doctors.service.VerifyDoctor(verdict, metadata=doctors.as_(Role.ADMIN, ADMIN))).is_verified
    error = await refusal(create(doctors, request_id="ü"))
    assert fields_of(error) == ["request_id"]


async def test_a_refusal_is_not_kept_under_its_request_id(doctors: DoctorClinic) -> None:
    await create(doctors)
    assert reason_of(await refusal(create(doctors, request_id="again"))) == "EMAIL_TAKEN"
    await doctors.database.execute(Query("remove", "DELETE FROM doctor"))
    assert (await create(doctors, request_id="again")).first_name == "Ada"


async def test_hours_left_open_get_the_defaults_of_their_kind(doctors: DoctorClinic) -> None:
    doctor = a_doctor()
    await seed(doctors.database, [doctor], [])
    general = await set_rule(doctors, doctor.doctor_id, day_of_week=0, **MORNING)
    assert general.appointment_type == scheduling_pb2.APPOINTMENT_TYPE_GENERAL_CONSULTATION
    assert (general.duration_minutes, general.buffer_minutes, general.max_concurrent_appointments) == (30, 10, 1)
    assert general.HasField("day_of_week")
    assert general.morning_end_time == TimeOfDay(hours=12)
    assert not general.HasField("afternoon_start_time")
    night = await set_rule(
        doctors,
        doctor.doctor_id,
        specific_date=Date(year=2026, month=4, day=5),
        appointment_type=scheduling_pb2.APPOINTMENT_TYPE_EMERGENCY,
        buffer_minutes=0,
        afternoon_start_time=TimeOfDay(hours=22),
        afternoon_end_time=TimeOfDay(hours=24),
    )
    assert (night.buffer_minutes, night.duration_minutes, night.HasField("day_of_week")) == (0, 30, False)
    assert night.afternoon_end_time == TimeOfDay(hours=24)


async def test_a_doctor_sets_their_own_hours_and_nobody_elses(doctors: DoctorClinic) -> None:
    doctor, other = a_doctor(), a_doctor()
    await seed(doctors.database, [doctor, other], [])
    myself = doctors.as_(Role.DOCTOR, doctor.doctor_id)
    assert (await set_rule(doctors, doctor.doctor_id, myself, day_of_week=1, **MORNING)).doctor_id == doctor.doctor_id
    error = await refusal(set_rule(doctors, other.doctor_id, myself, day_of_week=1, **MORNING))
    assert (error.code(), reason_of(error)) == (grpc.StatusCode.NOT_FOUND, "DOCTOR_NOT_FOUND")
    assert reason_of(await refusal(set_rule(doctors, str(uuid4()), day_of_week=1, **MORNING))) == "DOCTOR_NOT_FOUND"
    error = await refusal(set_rule(doctors, doctor.doctor_id, doctors.as_(Role.PATIENT), day_of_week=1, **MORNING))
    assert error.code() is grpc.StatusCode.PERMISSION_DENIED


async def test_twenty_equal_rules_at_once_leave_one(doctors: DoctorClinic) -> None:
    doctor = a_doctor()
    await seed(doctors.database, [doctor], [])
    outcomes = await asyncio.gather(
        *(set_rule(doctors, doctor.doctor_id, day_of_week=1, **MORNING) for _ in range(20)), return_exceptions=True
    )
    made = [outcome for outcome in outcomes if isinstance(outcome, doctor_pb2.AvailabilityRule)]
    refused = [outcome for outcome in outcomes if isinstance(outcome, grpc.aio.AioRpcError)]
    assert (len(made), len(refused)) == (1, 19)
    assert {(error.code(), reason_of(error)) for error in refused} == {
        (grpc.StatusCode.ALREADY_EXISTS, "RULE_OVERLAPS")
    }
    assert await count(doctors, "availability_rule") == 1


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({}, "rule.day_of_week"),
        ({"day_of_week": 7}, "rule.day_of_week"),
        ({"day_of_week": 1, "specific_date": Date(year=2026, month=4, day=5)}, "rule.specific_date"),
        ({"specific_date": Date(year=2026, month=4, day=31)}, "rule.specific_date"),
        ({"day_of_week": 1, "duration_minutes": 3}, "rule.duration_minutes"),
        ({"day_of_week": 1, "buffer_minutes": 121}, "rule.buffer_minutes"),
        ({"day_of_week": 1, "max_concurrent_appointments": 101}, "rule.max_concurrent_appointments"),
        ({"day_of_week": 1, "appointment_type": 77}, "rule.appointment_type"),
        ({"day_of_week": 1, "afternoon_start_time": TimeOfDay(hours=14)}, "rule.afternoon_end_time"),
        ({"day_of_week": 1, "morning_start_time": TimeOfDay(hours=24)}, "rule.morning_start_time"),
    ],
)
async def test_hours_are_refused_by_the_field_that_is_wrong(
    doctors: DoctorClinic, fields: dict[str, Any], named: str
) -> None:
    error = await refusal(set_rule(doctors, str(uuid4()), **(MORNING | fields)))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert fields_of(error) == [named]


async def test_a_call_without_a_token_is_refused(doctors: DoctorClinic) -> None:
    error = await refusal(doctors.service.GetDoctor(pb.GetDoctorRequest(doctor_id=str(uuid4()))))
    assert error.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_the_clock_of_a_new_profile_is_the_process_clock(doctors: DoctorClinic) -> None:
    doctors.now = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
    assert (await create(doctors)).create_time.ToDatetime(UTC) == doctors.now
