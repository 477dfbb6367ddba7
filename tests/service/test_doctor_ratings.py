"""A rating that the feed tells, over gRPC: profile, search and match know it at once, and it counts once."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from telemed.doctor.v1 import doctor_service_pb2 as pb
from telemed.doctor.v1 import insights_pb2, search_pb2
from telemed.type.v1 import scheduling_pb2

from chassis.context import Role
from doctor_svc.domain.doctor import Doctor
from doctor_svc.domain.visits import Visit
from kernel.appointment_status import AppointmentStatus
from tests.fix_doctors import DoctorClinic, a_doctor, a_rule, a_visit, change_of, seed

NINE = datetime(2026, 2, 2, 9, 0, tzinfo=UTC)
GENERAL = scheduling_pb2.APPOINTMENT_TYPE_GENERAL_CONSULTATION


def completed(doctor: Doctor, **other: Any) -> Visit:
    return a_visit(doctor.doctor_id, NINE, status=AppointmentStatus.COMPLETED, version=3, **other)


async def call(clinic: DoctorClinic, rpc: str, request: Any) -> Any:
    return await getattr(clinic.service, rpc)(request, metadata=clinic.as_(Role.PATIENT), timeout=10)


async def found(clinic: DoctorClinic) -> list[tuple[str, float, int]]:
    answer = await call(clinic, "SearchDoctors", search_pb2.SearchDoctorsRequest())
    return [(doctor.first_name, doctor.rating, doctor.rating_count) for doctor in answer.doctors]


async def applied(clinic: DoctorClinic, revision: str) -> None:
    await call(clinic, "RecommendDoctors", insights_pb2.RecommendDoctorsRequest(at_least_revision=revision))


async def test_profile_search_and_match_know_a_rating_at_once(doctors: DoctorClinic) -> None:
    ada, bea = a_doctor(first_name="Ada", rating=4.1, rating_count=40), a_doctor(first_name="Bea")
    await seed(doctors.database, [ada, bea], [a_rule(ada, 1), a_rule(bea, 1)])
    # Asked twice, so that the second answer is one that was kept.
    assert [await found(doctors) for _ in range(2)] == [[("Ada", 4.1, 40), ("Bea", 0.0, 0)]] * 2
    wish = pb.MatchDoctorsRequest(appointment_type=GENERAL)
    assert [match.doctor_first_name for match in (await call(doctors, "MatchDoctors", wish)).matches] == ["Ada", "Bea"]
    visits = [completed(bea) for _ in range(4)]
    await applied(doctors, doctors.feed.write(*map(change_of, visits)))
    revision = doctors.feed.write(*(change_of(replace(visit, version=4, rating=5)) for visit in visits))
    await applied(doctors, revision)
    profile = await call(doctors, "GetDoctor", pb.GetDoctorRequest(doctor_id=bea.doctor_id))
    assert (profile.rating, profile.rating_count) == (5.0, 4)
    assert profile.etag == bea.etag
    matches = (await call(doctors, "MatchDoctors", wish)).matches
    # 0.8 of quality is the rating, here drawn from 5.0 towards 4.0: (4 · 5 + 5 · 4) ÷ 9.
    assert [round(match.components.quality, 9) for match in matches] == [
        round(0.8 * (40 / 9) / 5, 9),
        round(0.8 * (4.1 * 40 + 20) / 45 / 5, 9),
    ]
    # The notice goes through the database, so a kept answer is forgotten in a moment and long before its time.
    expected = [("Bea", 5.0, 4), ("Ada", 4.1, 40)]
    answers: list[Any] = [await found(doctors)]
    while answers[-1] != expected:
        assert len(answers) < 200, answers[-1]
        answers.append(await found(doctors))


async def test_a_rating_told_twice_and_an_older_version_after_it_count_once(doctors: DoctorClinic) -> None:
    doctor = a_doctor()
    await seed(doctors.database, [doctor], [])
    visit = completed(doctor)
    rated = replace(visit, version=4, rating=2)
    await applied(doctors, doctors.feed.write(change_of(rated)))
    await applied(doctors, doctors.feed.write(change_of(visit), change_of(rated)))
    profile = await call(doctors, "GetDoctor", pb.GetDoctorRequest(doctor_id=doctor.doctor_id))
    assert (profile.rating, profile.rating_count) == (2.0, 1)
