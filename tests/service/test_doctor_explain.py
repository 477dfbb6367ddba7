"""MatchDoctors with demands and with explain over gRPC: who is left out, by which rules, and what would work."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.type.date_pb2 import Date
from google.type.timeofday_pb2 import TimeOfDay
from telemed.doctor.v1 import doctor_pb2, profiles_pb2
from telemed.doctor.v1 import doctor_service_pb2 as pb
from telemed.type.v1 import scheduling_pb2

from chassis.context import Role
from chassis.protos import to_timestamp
from doctor_svc.domain.doctor import Doctor
from tests.fix_doctors import DoctorClinic, a_doctor, a_rule, a_visit, change_of, seed
from tests.fix_spans import Spans
from tests.refusals import fields_of, reason_of, refusal

GENERAL = scheduling_pb2.APPOINTMENT_TYPE_GENERAL_CONSULTATION
PATIENT = str(uuid4())
NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MORNING_OF_MONDAY = {
    "preferred_date": Date(year=2026, month=3, day=2),
    "preferred_time_start": TimeOfDay(hours=9),
    "preferred_time_end": TimeOfDay(hours=12),
}
DEMANDS = {"specialty_required": "cardiology", "language": "en", "location": "US-NY", "min_rating": 4.5}


async def ask(clinic: DoctorClinic, role: Role = Role.PATIENT, **fields: Any) -> pb.MatchDoctorsResponse:
    request = pb.MatchDoctorsRequest(**({"patient_id": PATIENT, "appointment_type": GENERAL} | fields))
    answer: pb.MatchDoctorsResponse = await clinic.service.MatchDoctors(
        request, metadata=clinic.as_(role, PATIENT), timeout=10
    )
    return answer


def rules_of(answer: pb.MatchDoctorsResponse, doctor: Doctor) -> list[str]:
    (found,) = [one for one in answer.excluded if one.doctor_id == doctor.doctor_id]
    return [doctor_pb2.ExclusionRule.Name(reason.rule).removeprefix("EXCLUSION_RULE_") for reason in found.reasons]


def ids(found: Any) -> set[str]:
    return {one.doctor_id for one in found}


async def working_mondays(clinic: DoctorClinic, *doctors: Doctor) -> None:
    await seed(clinic.database, doctors, [a_rule(doctor, 1) for doctor in doctors])


def fitting(**other: Any) -> Doctor:
    fields = {"languages": ("en-GB",), "license_jurisdictions": ("US-NY",), "rating": 4.8, "rating_count": 9}
    return a_doctor(**(fields | other))


async def test_only_doctors_who_meet_every_demand_are_matched(doctors: DoctorClinic) -> None:
    everywhere = fitting(license_jurisdictions=("US",))
    good = [fitting(), everywhere]
    bad = [
        fitting(languages=("de",)),
        fitting(license_jurisdictions=("US-CA", "GB")),
        fitting(rating=4.4),
        fitting(rating=0.0, rating_count=0),
        fitting(specialty="Dermatology"),
    ]
    await working_mondays(doctors, *good, *bad)
    answer = await ask(doctors, **DEMANDS, **MORNING_OF_MONDAY)
    assert ids(answer.matches) == ids(good)
    assert answer.policy_version == 1
    assert not answer.excluded
    assert ids((await ask(doctors, min_rating=4.0, **MORNING_OF_MONDAY)).matches) == ids([*good, *bad])


async def test_nobody_meets_the_demands_and_the_answer_is_empty_not_an_error(doctors: DoctorClinic) -> None:
    await working_mondays(doctors, fitting(languages=("de",)))
    assert not (await ask(doctors, specialty_required="cardiology", language="en")).matches


async def test_everyone_left_out_is_told_with_every_rule_they_fail(doctors: DoctorClinic) -> None:
    good, mute, away = fitting(), fitting(languages=(), rating=2.0), fitting()
    await working_mondays(doctors, good, mute)
    await seed(doctors.database, [away], [a_rule(away, 3)])
    wrong = fitting(specialty="Dermatology", license_jurisdictions=())
    await seed(doctors.database, [wrong], [])
    answer = await ask(doctors, explain=True, **DEMANDS, **MORNING_OF_MONDAY)
    assert ids(one for one in answer.matches if one.slots) == {good.doctor_id}
    assert ids(answer.excluded) == ids([mute, away, wrong])
    assert rules_of(answer, mute) == ["LANGUAGE", "RATING"]
    assert rules_of(answer, away) == ["OUTSIDE_HOURS"]
    assert rules_of(answer, wrong) == ["SPECIALTY", "LICENCE", "OUTSIDE_HOURS"]
    assert [len(one.reasons) for one in answer.excluded] == [1, 2, 3]
    told = {one.doctor_id: one for one in answer.excluded}
    assert told[away.doctor_id].suggestion == "free at 09:00 on 2026-03-04 (UTC)"
    assert told[mute.doctor_id].suggestion == (
        "free at 09:00 on 2026-03-02 (UTC), if the language and the rating may be another"
    )
    assert told[wrong.doctor_id].suggestion == ""


async def test_a_booked_doctor_is_busy_and_free_at_the_next_time_in_the_patients_zone(doctors: DoctorClinic) -> None:
    doctor = a_doctor()
    await working_mondays(doctors, doctor)
    revision = doctors.feed.write(change_of(a_visit(doctor.doctor_id, NINE + timedelta(minutes=40))))
    wanted = to_timestamp(NINE + timedelta(minutes=40))
    answer = await ask(
        doctors, explain=True, start_time=wanted, timezone="America/New_York", at_least_revision=revision
    )
    (excluded,) = answer.excluded
    assert [reason.message for reason in excluded.reasons] == ["is booked then"]
    assert excluded.nearest_slot.slot.start_time.ToDatetime(UTC) == NINE
    assert excluded.suggestion == "free at 04:00 on 2026-03-02 (America/New_York)"


async def test_too_little_notice_says_how_many_minutes_are_missing(doctors: DoctorClinic) -> None:
    doctor = a_doctor()
    await working_mondays(doctors, doctor)
    doctors.now = NINE - timedelta(minutes=85)
    answer = await ask(doctors, explain=True, doctor_id=doctor.doctor_id, start_time=to_timestamp(NINE))
    (reason,) = answer.excluded[0].reasons
    assert (reason.rule, reason.missing_minutes) == (doctor_pb2.EXCLUSION_RULE_NOTICE, 35)
    assert reason.message == "needs 35 more minutes of notice"
    assert answer.excluded[0].suggestion == "free at 09:40 on 2026-03-02 (UTC)"


async def test_a_day_past_the_horizon_names_the_last_day_and_other_rules_too(doctors: DoctorClinic) -> None:
    doctor = a_doctor()
    await working_mondays(doctors, doctor)
    day = Date(year=2026, month=6, day=2)
    (excluded,) = (await ask(doctors, explain=True, preferred_date=day)).excluded
    assert [reason.message for reason in excluded.reasons] == [
        "does not take such visits then",
        "can be booked until 2026-05-30",
    ]


async def test_who_is_unverified_or_inactive_is_told_to_staff_alone(doctors: DoctorClinic) -> None:
    new, gone = a_doctor(verified=False), a_doctor()
    await working_mondays(doctors, new, gone)
    await doctors.service.DeactivateDoctor(
        profiles_pb2.DeactivateDoctorRequest(doctor_id=gone.doctor_id), metadata=doctors.as_(Role.ADMIN), timeout=5
    )
    assert not (await ask(doctors, explain=True, **MORNING_OF_MONDAY)).excluded
    for role in (Role.ADMIN, Role.SERVICE):
        answer = await ask(doctors, role, explain=True, **MORNING_OF_MONDAY)
        assert (rules_of(answer, new), rules_of(answer, gone)) == (["UNVERIFIED"], ["INACTIVE"])
        assert {one.suggestion for one in answer.excluded} == {""}
    error = await refusal(ask(doctors, explain=True, doctor_id=new.doctor_id))
    assert reason_of(error) == "DOCTOR_UNVERIFIED"
    error = await refusal(ask(doctors, explain=True, doctor_id=gone.doctor_id))
    assert reason_of(error) == "DOCTOR_NOT_FOUND"


async def test_a_doctor_asked_for_by_id_is_explained_rather_than_refused(doctors: DoctorClinic) -> None:
    doctor = a_doctor(specialty="Dermatology")
    await working_mondays(doctors, doctor)
    answer = await ask(
        doctors, explain=True, doctor_id=doctor.doctor_id, specialty_required="cardiology", **MORNING_OF_MONDAY
    )
    assert not answer.matches
    assert [reason.message for reason in answer.excluded[0].reasons] == [
        "is a doctor of Dermatology, not of cardiology"
    ]


@pytest.mark.parametrize("count", [5, 450])
async def test_an_explanation_is_one_statement_too_and_looks_at_no_more_than_400(
    doctors: DoctorClinic, spans: Spans, count: int
) -> None:
    fit, everyone = fitting(), [a_doctor(specialty="Dermatology") for _ in range(count - 1)]
    await working_mondays(doctors, fit, *everyone)
    spans.exporter.clear()
    answer = await ask(doctors, explain=True, **DEMANDS, **MORNING_OF_MONDAY)
    assert ids(answer.matches) == {fit.doctor_id}
    assert len(answer.excluded) == min(count, 400) - 1
    assert len(spans.named("find_schedules")) == 1


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"language": "e"}, "language"),
        ({"language": "english language"}, "language"),
        ({"location": "New York"}, "location"),
        ({"location": "US-"}, "location"),
        ({"min_rating": 0.5}, "min_rating"),
        ({"min_rating": 5.1}, "min_rating"),
        ({"min_rating": -1}, "min_rating"),
        ({"min_rating": float("nan")}, "min_rating"),
    ],
)
async def test_a_demand_that_cannot_be_understood_is_named(
    doctors: DoctorClinic, fields: dict[str, Any], named: str
) -> None:
    error = await refusal(ask(doctors, **fields))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert fields_of(error) == [named]
