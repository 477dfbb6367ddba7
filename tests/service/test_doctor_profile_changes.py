"""Changes of profiles over gRPC: which fields, by whom, to which version, and what they do to a verdict."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.type.date_pb2 import Date
from telemed.doctor.v1 import doctor_pb2, profiles_pb2
from telemed.doctor.v1 import doctor_service_pb2 as pb
from telemed.type.v1 import scheduling_pb2

from chassis.context import Role
from chassis.sql import Query
from tests.fix_doctors import NOON, WORKING_DAYS, DoctorClinic, a_doctor, a_rule, seed
from tests.refusals import fields_of, reason_of, refusal

ADMIN = str(uuid4())
PRIVATE = Query("private", "SELECT email, license_number, date_of_birth::text AS born FROM doctor")


@pytest.fixture
async def ada(doctors: DoctorClinic) -> AsyncIterator[doctor_pb2.Doctor]:
    """A verified doctor, made by administrators an hour before the tests look."""
    made = await doctors.service.CreateDoctor(
        pb.CreateDoctorRequest(
            doctor=doctor_pb2.Doctor(
                first_name="Ada",
                last_name="Stone",
                specialty="Cardiology",
                bio="Listens first.",
                languages=["en"],
                timezone="UTC",
                email="ada@example.org",
                license_number="NY-1234",
                license_jurisdictions=["US-NY"],
            )
        ),
        metadata=doctors.as_(Role.ADMIN, ADMIN),
    )
    verdict = pb.VerifyDoctorRequest(doctor_id=made.doctor_id)
    ada = await doctors.service.VerifyDoctor(verdict, metadata=doctors.as_(Role.ADMIN, ADMIN))
    doctors.now = NOON + timedelta(hours=1)
    return ada


async def update(
    clinic: DoctorClinic,
    doctor_id: str,
    caller: Any = None,
    mask: list[str] | None = None,
    request_id: str = "",
    **to: Any,
) -> doctor_pb2.Doctor:
    request = profiles_pb2.UpdateDoctorRequest(
        doctor=doctor_pb2.Doctor(doctor_id=doctor_id, **to),
        update_mask=None if mask is None else FieldMask(paths=mask),
        request_id=request_id,
    )
    return await clinic.service.UpdateDoctor(request, metadata=caller or clinic.as_(Role.ADMIN, ADMIN))


async def seen(clinic: DoctorClinic, doctor_id: str, role: Role = Role.PATIENT, subject: str = "") -> doctor_pb2.Doctor:
    request = pb.GetDoctorRequest(doctor_id=doctor_id)
    return await clinic.service.GetDoctor(request, metadata=clinic.as_(role, subject or None))


async def test_the_named_fields_change_and_no_other(doctors: DoctorClinic, ada: doctor_pb2.Doctor) -> None:
    changed = await update(
        doctors, ada.doctor_id, mask=["bio", "languages"], languages=["en", "fr"], last_name="Ignored"
    )
    assert (changed.bio, list(changed.languages), changed.last_name) == ("", ["en", "fr"], "Stone")
    assert (ada.etag, changed.etag) == ("2", "3")
    assert changed.update_time.seconds == ada.update_time.seconds + 3600
    assert await seen(doctors, ada.doctor_id) == changed


async def test_without_a_mask_the_fields_with_a_value_change(doctors: DoctorClinic, ada: doctor_pb2.Doctor) -> None:
    changed = await update(doctors, ada.doctor_id, bio="New.", max_daily_appointments=5)
    assert (changed.bio, changed.max_daily_appointments, list(changed.languages)) == ("New.", 5, ["en"])


async def test_an_answer_can_be_sent_back_with_a_change_in_it(doctors: DoctorClinic, ada: doctor_pb2.Doctor) -> None:
    ada.bio, ada.rating, ada.is_verified = "Back again.", 5.0, False
    request = profiles_pb2.UpdateDoctorRequest(
        doctor=ada, update_mask=FieldMask(paths=[field.name for field in ada.DESCRIPTOR.fields][:12])
    )
    changed = await doctors.service.UpdateDoctor(request, metadata=doctors.as_(Role.ADMIN))
    assert (changed.bio, changed.rating, changed.is_verified) == ("Back again.", 0.0, True)


async def test_a_star_replaces_the_profile_but_no_private_detail_that_is_left_out(
    doctors: DoctorClinic, ada: doctor_pb2.Doctor
) -> None:
    wish = {"first_name": "Ada", "last_name": "Stone", "specialty": "Neurology", "timezone": "UTC"}
    changed = await update(doctors, ada.doctor_id, mask=["*"], date_of_birth=Date(year=1980, month=5, day=17), **wish)
    assert (changed.specialty, changed.bio, list(changed.languages)) == ("Neurology", "", [])
    assert await doctors.database.one(PRIVATE) == {
        "email": "ada@example.org",
        "license_number": "NY-1234",
        "born": "1980-05-17",
    }


@pytest.mark.parametrize("path", ["nope", "date_of_birth.year", "Bio", ""])
async def test_a_mask_that_names_no_field_is_refused(doctors: DoctorClinic, ada: doctor_pb2.Doctor, path: str) -> None:
    error = await refusal(update(doctors, ada.doctor_id, mask=["bio", path]))
    assert (error.code(), fields_of(error)) == (grpc.StatusCode.INVALID_ARGUMENT, ["update_mask"])
    assert (await seen(doctors, ada.doctor_id)).bio == "Listens first."


async def test_a_change_to_nothing_new_is_no_change(doctors: DoctorClinic, ada: doctor_pb2.Doctor) -> None:
    assert await update(doctors, ada.doctor_id, bio="Listens first.") == ada


async def test_a_change_is_made_to_the_version_that_was_read_or_not_at_all(
    doctors: DoctorClinic, ada: doctor_pb2.Doctor
) -> None:
    assert (await update(doctors, ada.doctor_id, bio="One.", etag=ada.etag)).etag == "3"
    error = await refusal(update(doctors, ada.doctor_id, bio="Two.", etag=ada.etag))
    assert (error.code(), reason_of(error)) == (grpc.StatusCode.ABORTED, "ETAG_MISMATCH")
    assert (await seen(doctors, ada.doctor_id)).bio == "One."


async def test_of_twenty_changes_of_one_version_one_is_made(doctors: DoctorClinic, ada: doctor_pb2.Doctor) -> None:
    outcomes = await asyncio.gather(
        *(update(doctors, ada.doctor_id, bio=f"By {n}.", etag=ada.etag) for n in range(20)), return_exceptions=True
    )
    assert sum(isinstance(outcome, doctor_pb2.Doctor) for outcome in outcomes) == 1
    assert (await seen(doctors, ada.doctor_id)).etag == "3"


async def test_twins_of_one_change_get_equal_answers(doctors: DoctorClinic, ada: doctor_pb2.Doctor) -> None:
    calls = (update(doctors, ada.doctor_id, bio="Twin.", etag=ada.etag, request_id="twin") for _ in range(10))
    assert {answer.etag for answer in await asyncio.gather(*calls)} == {"3"}


@pytest.mark.parametrize(
    ("change", "stays"),
    [
        ({"first_name": "Eve"}, False),
        ({"last_name": "Stein"}, False),
        ({"license_number": "NY-9"}, False),
        ({"license_jurisdictions": ["US-NY", "GB"]}, False),
        ({"license_jurisdictions": ["us-ny"]}, True),
        ({"bio": "New.", "specialty": "Neurology", "email": "a@example.org"}, True),
    ],
)
async def test_a_doctor_who_changes_what_was_checked_is_no_longer_verified(
    doctors: DoctorClinic, ada: doctor_pb2.Doctor, change: dict[str, Any], stays: bool
) -> None:
    assert (await update(doctors, ada.doctor_id, **change)).is_verified, "an administrator has looked"
    await doctors.database.execute(Query("back", "UPDATE doctor SET first_name = 'Ada', last_name = 'Stone'"))
    own = doctors.as_(Role.DOCTOR, ada.doctor_id)
    await update(doctors, ada.doctor_id, license_number="NY-1234", license_jurisdictions=["US-NY"])
    assert (await update(doctors, ada.doctor_id, own, **change)).is_verified is stays


async def test_nobody_changes_another_doctor(doctors: DoctorClinic, ada: doctor_pb2.Doctor) -> None:
    error = await refusal(update(doctors, ada.doctor_id, doctors.as_(Role.DOCTOR), bio="Mine."))
    assert reason_of(error) == "DOCTOR_NOT_FOUND"
    for role in (Role.PATIENT, Role.SERVICE):
        error = await refusal(update(doctors, ada.doctor_id, doctors.as_(role), bio="Mine."))
        assert error.code() is grpc.StatusCode.PERMISSION_DENIED
    assert reason_of(await refusal(update(doctors, str(uuid4()), bio="Mine."))) == "DOCTOR_NOT_FOUND"
    assert fields_of(await refusal(update(doctors, "", bio="Mine."))) == ["doctor.doctor_id"]


async def test_wrong_values_are_named_and_nothing_is_stored(doctors: DoctorClinic, ada: doctor_pb2.Doctor) -> None:
    error = await refusal(update(doctors, ada.doctor_id, bio="New.", years_experience=81, license_jurisdictions=["??"]))
    assert fields_of(error) == ["doctor.years_experience", "doctor.license_jurisdictions[0]"]
    assert fields_of(await refusal(update(doctors, ada.doctor_id, mask=["timezone"]))) == ["doctor.timezone"]
    assert await seen(doctors, ada.doctor_id) == ada


async def test_an_e_mail_address_of_another_doctor_is_refused(doctors: DoctorClinic, ada: doctor_pb2.Doctor) -> None:
    other = pb.CreateDoctorRequest(
        doctor=doctor_pb2.Doctor(
            first_name="Eve", last_name="Hill", specialty="Cardiology", timezone="UTC", email="eve@example.org"
        )
    )
    await doctors.service.CreateDoctor(other, metadata=doctors.as_(Role.ADMIN))
    error = await refusal(update(doctors, ada.doctor_id, email="EVE@example.org", bio="New."))
    assert (error.code(), reason_of(error)) == (grpc.StatusCode.ALREADY_EXISTS, "EMAIL_TAKEN")
    assert (await seen(doctors, ada.doctor_id)).bio == "Listens first."


async def test_a_doctor_who_is_not_active_is_out_of_everyones_sight_until_activated(doctors: DoctorClinic) -> None:
    doctor = a_doctor()
    await seed(doctors.database, [doctor], [a_rule(doctor, day) for day in WORKING_DAYS])
    myself = doctors.as_(Role.DOCTOR, doctor.doctor_id)
    day = pb.GetAvailabilityRequest(doctor_id=doctor.doctor_id, date=Date(year=2026, month=3, day=3))
    wish = pb.MatchDoctorsRequest(
        appointment_type=scheduling_pb2.APPOINTMENT_TYPE_GENERAL_CONSULTATION, specialty_required="cardiology"
    )
    assert len((await doctors.service.GetAvailability(day, metadata=myself)).morning_slots) > 0

    request = profiles_pb2.DeactivateDoctorRequest(doctor_id=doctor.doctor_id)
    gone = await doctors.service.DeactivateDoctor(request, metadata=myself)
    assert (gone.is_active, gone.is_verified, gone.etag) == (False, True, "2")
    assert (await doctors.service.DeactivateDoctor(request, metadata=myself)).etag == "2"

    patient = doctors.as_(Role.PATIENT)
    assert reason_of(await refusal(seen(doctors, doctor.doctor_id))) == "DOCTOR_NOT_FOUND"
    assert reason_of(await refusal(doctors.service.GetAvailability(day, metadata=patient))) == "DOCTOR_NOT_FOUND"
    assert reason_of(await refusal(doctors.service.MatchDoctors(wish, metadata=patient))) == "SPECIALTY_NOT_AVAILABLE"
    wish.doctor_id = doctor.doctor_id
    assert reason_of(await refusal(doctors.service.MatchDoctors(wish, metadata=patient))) == "DOCTOR_NOT_FOUND"
    assert (await seen(doctors, doctor.doctor_id, Role.DOCTOR, doctor.doctor_id)) == gone
    assert not (await doctors.service.GetAvailability(day, metadata=myself)).morning_slots

    back = profiles_pb2.ActivateDoctorRequest(doctor_id=doctor.doctor_id)
    error = await refusal(doctors.service.ActivateDoctor(back, metadata=myself))
    assert error.code() is grpc.StatusCode.PERMISSION_DENIED
    assert (await doctors.service.ActivateDoctor(back, metadata=doctors.as_(Role.ADMIN))).is_active
    assert (await doctors.service.MatchDoctors(wish, metadata=patient)).matches
    assert (await seen(doctors, doctor.doctor_id)).etag == "3"


async def test_nobody_deactivates_another_doctor(doctors: DoctorClinic, ada: doctor_pb2.Doctor) -> None:
    request = profiles_pb2.DeactivateDoctorRequest(doctor_id=ada.doctor_id)
    error = await refusal(doctors.service.DeactivateDoctor(request, metadata=doctors.as_(Role.DOCTOR)))
    assert reason_of(error) == "DOCTOR_NOT_FOUND"
    nobody = profiles_pb2.ActivateDoctorRequest(doctor_id=str(uuid4()))
    assert reason_of(await refusal(doctors.service.ActivateDoctor(nobody, metadata=doctors.as_(Role.ADMIN)))) == (
        "DOCTOR_NOT_FOUND"
    )
