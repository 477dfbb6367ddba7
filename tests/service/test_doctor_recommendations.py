"""RecommendDoctors over gRPC: the patient's own doctor first, good ones for a new patient, and never nobody."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import grpc
import pytest
from telemed.doctor.v1 import insights_pb2 as pb

from chassis.context import Role
from kernel.appointment_status import AppointmentStatus
from tests.fix_doctors import DoctorClinic, a_doctor, a_visit, change_of, seed
from tests.refusals import fields_of, refusal

PATIENT = str(uuid4())
LONG_AGO = datetime(2025, 6, 2, 9, 0, tzinfo=UTC)


async def recommended(clinic: DoctorClinic, **fields: Any) -> list[pb.Recommendation]:
    request = pb.RecommendDoctorsRequest(**fields)
    answer = await clinic.service.RecommendDoctors(request, metadata=clinic.as_(Role.PATIENT, PATIENT), timeout=5)
    assert answer.policy_version == 1
    return list(answer.recommendations)


async def test_the_patients_own_doctor_comes_before_a_better_one(doctors: DoctorClinic) -> None:
    own, star = a_doctor(), a_doctor(rating=5.0, rating_count=400, years_experience=30)
    await seed(doctors.database, [own, star], [])
    visit = a_visit(own.doctor_id, LONG_AGO, patient_id=PATIENT, status=AppointmentStatus.COMPLETED)
    found = await recommended(doctors, at_least_revision=doctors.feed.write(change_of(visit)))
    assert [one.doctor_id for one in found] == [own.doctor_id, star.doctor_id]
    assert found[0].is_preferred_doctor
    assert list(found[0].reasons) == ["Previous patient - 1 consultation(s) with this doctor"]
    # (0.50 · 1 + 0.25 · 0.8 + 0.10 · 0.8 · 4/5) / 0.85, by hand.
    assert found[0].score == pytest.approx(0.8988)


async def test_a_new_patient_gets_good_doctors_and_continuity_does_not_count(doctors: DoctorClinic) -> None:
    star, plain = a_doctor(rating=5.0, rating_count=9_995, years_experience=20), a_doctor(rating=2.0, rating_count=50)
    hidden = a_doctor(verified=False, rating=5.0, rating_count=900)
    await seed(doctors.database, [plain, star, hidden], [])
    found = await recommended(doctors)
    assert [one.doctor_id for one in found] == [star.doctor_id, plain.doctor_id]
    # (0.25 · 0.8 + 0.10 · (0.8 · 4.9995/5 + 0.2)) / 0.35, by hand.
    assert found[0].score == pytest.approx(0.8571, abs=1e-4)
    assert list(found[0].reasons) == ["Highly rated (5.0/5.0)", "20 years of experience"]


async def test_a_specialty_is_a_wish_so_that_nobody_who_has_it_still_leaves_somebody(doctors: DoctorClinic) -> None:
    skin, heart = a_doctor(specialty="Dermatology", rating=5.0, rating_count=90), a_doctor()
    await seed(doctors.database, [skin, heart], [])
    found = await recommended(doctors, specialty="CARDIOLOGY")
    assert [(one.doctor_id, one.specialty_fit) for one in found] == [(heart.doctor_id, 1), (skin.doctor_id, 0)]
    assert list(found[0].reasons) == ["Specializes in CARDIOLOGY"]
    assert len(await recommended(doctors, specialty="Neurology")) == 2
    assert len(await recommended(doctors, max_results=1)) == 1


async def test_where_there_is_no_verified_doctor_there_is_nobody_to_recommend(doctors: DoctorClinic) -> None:
    await seed(doctors.database, [a_doctor(verified=False)], [])
    assert await recommended(doctors) == []


async def test_a_patient_is_recommended_doctors_by_their_own_history_alone(doctors: DoctorClinic) -> None:
    error = await refusal(recommended(doctors, patient_id=str(uuid4())))
    assert error.code() is grpc.StatusCode.PERMISSION_DENIED


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"patient_id": "x"}, "patient_id"),
        ({"specialty": "x" * 101}, "specialty"),
        ({"max_results": 51}, "max_results"),
        ({"max_results": -1}, "max_results"),
    ],
)
async def test_a_wrong_field_is_named(doctors: DoctorClinic, fields: dict[str, Any], named: str) -> None:
    error = await refusal(recommended(doctors, **fields))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert fields_of(error) == [named]
