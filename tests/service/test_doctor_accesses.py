"""The doctor service tells little of patients: whose history a match reads, and whom an override hits."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from telemed.doctor.v1 import doctor_service_pb2 as pb
from telemed.doctor.v1 import insights_pb2

from chassis.accesses import of_patient_data
from chassis.context import Role
from doctor_svc.api.audit import TOUCHES
from tests.fix_accesses import AccessRecord
from tests.fix_doctors import DoctorClinic, a_visit, change_of
from tests.refusals import refusal
from tests.service.hours_harness import NINE, ask, override, working_on_mondays
from tests.service.matching_harness import GENERAL

SERVICE = "telemed.doctor.v1.DoctorService"
TESTED = {"MatchDoctors", "RecommendDoctors", "CreateOverride"}


@pytest.fixture
def record(doctor_db_url: str) -> AccessRecord:
    return AccessRecord("doctor", doctor_db_url)


def test_there_is_a_test_for_each_rpc():
    assert {f"{SERVICE}/{rpc}" for rpc in TESTED} == set(TOUCHES) - set(of_patient_data(SERVICE))


def wish(rpc: str, **fields: Any) -> Any:
    if rpc == "MatchDoctors":
        return pb.MatchDoctorsRequest(appointment_type=GENERAL, **fields)
    return insights_pb2.RecommendDoctorsRequest(**fields)


@pytest.mark.parametrize("rpc", ["MatchDoctors", "RecommendDoctors"])
async def test_a_match_says_whose_history_it_read(doctors: DoctorClinic, record: AccessRecord, rpc: str):
    patient = str(uuid4())
    await working_on_mondays(doctors)
    await ask(doctors, rpc, wish(rpc, patient_id=patient), doctors.as_(Role.PATIENT, patient))
    [row] = await record.rows()
    assert (row["method"], row["action"], row["entity"]) == (f"{SERVICE}/{rpc}", "R", "Visit")
    assert (row["patient_ids"], row["actor_subject"], row["outcome"]) == ([patient], patient, "OK")
    await refusal(ask(doctors, rpc, wish(rpc, patient_id=patient), doctors.as_(Role.PATIENT)))
    [_, row] = await record.rows()
    assert (row["patient_ids"], row["outcome"]) == ([patient], "PERMISSION_DENIED")


async def test_a_patient_who_asks_for_a_recommendation_means_themselves(doctors: DoctorClinic, record: AccessRecord):
    patient = str(uuid4())
    await ask(doctors, "RecommendDoctors", wish("RecommendDoctors"), doctors.as_(Role.PATIENT, patient))
    [row] = await record.rows()
    assert row["patient_ids"] == [patient]


async def test_a_match_for_nobody_and_free_times_leave_nothing(doctors: DoctorClinic, record: AccessRecord):
    doctor = await working_on_mondays(doctors)
    await ask(doctors, "MatchDoctors", wish("MatchDoctors"), doctors.as_(Role.ADMIN))
    day = pb.GetAvailabilityRequest(doctor_id=doctor.doctor_id)
    day.date.year, day.date.month, day.date.day = NINE.year, NINE.month, NINE.day
    await ask(doctors, "GetAvailability", day, doctors.as_(Role.PATIENT))
    assert await record.rows() == []


async def test_an_override_says_whose_visits_it_was_told_of(doctors: DoctorClinic, record: AccessRecord):
    doctor = await working_on_mondays(doctors)
    visits = [a_visit(doctor.doctor_id, NINE), a_visit(doctor.doctor_id, NINE + timedelta(hours=1))]
    revision = doctors.feed.write(*map(change_of, visits))
    known = pb.MatchDoctorsRequest(appointment_type=GENERAL, at_least_revision=revision)
    await ask(doctors, "MatchDoctors", known, doctors.as_(Role.ADMIN))
    me = doctors.as_(Role.DOCTOR, doctor.doctor_id)
    answer = await ask(doctors, "CreateOverride", override(doctor, dry_run=True), me)
    assert answer.affected_count == 2
    [row] = await record.rows()
    shown = dict(zip(row["entity_ids"], row["patient_ids"], strict=True))
    assert shown == {visit.appointment_id: visit.patient_id for visit in visits}
