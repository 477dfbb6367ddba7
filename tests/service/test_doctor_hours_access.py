"""Who may see and change a doctor's hours over gRPC, and page tokens that nobody was given."""

from typing import Any
from uuid import uuid4

import pytest
from telemed.doctor.v1 import availability_pb2 as hours

from chassis.context import Role
from doctor_svc.domain.doctor import Doctor
from tests.fix_doctors import DoctorClinic
from tests.refusals import fields_of, reason_of, refusal
from tests.service.hours_harness import ask, override, the_rule, update, working_on_mondays


@pytest.fixture
async def doctor(doctors: DoctorClinic) -> Doctor:
    return await working_on_mondays(doctors)


async def test_hours_are_for_the_doctor_and_administrators_and_hidden_from_other_doctors(
    doctors: DoctorClinic, doctor: Doctor
) -> None:
    rule = await the_rule(doctors, doctor)
    made = await ask(doctors, "CreateOverride", override(doctor))
    unknown = hours.DeleteOverrideRequest(doctor_id=doctor.doctor_id, override_id=str(uuid4()))
    calls: list[tuple[str, Any, str]] = [
        ("ListAvailabilityRules", hours.ListAvailabilityRulesRequest(doctor_id=doctor.doctor_id), "DOCTOR_NOT_FOUND"),
        ("UpdateAvailability", update(doctor, rule.rule_id, day_of_week=2), "RULE_NOT_FOUND"),
        (
            "DeleteAvailability",
            hours.DeleteAvailabilityRequest(doctor_id=doctor.doctor_id, rule_id=rule.rule_id),
            "RULE_NOT_FOUND",
        ),
        ("CreateOverride", override(doctor), "DOCTOR_NOT_FOUND"),
        ("ListOverrides", hours.ListOverridesRequest(doctor_id=doctor.doctor_id), "DOCTOR_NOT_FOUND"),
        (
            "DeleteOverride",
            hours.DeleteOverrideRequest(doctor_id=doctor.doctor_id, override_id=made.override.override_id),
            "OVERRIDE_NOT_FOUND",
        ),
        ("DeleteOverride", unknown, "OVERRIDE_NOT_FOUND"),
    ]
    for rpc, request, reason in calls:
        assert reason_of(await refusal(ask(doctors, rpc, request, doctors.as_(Role.DOCTOR)))) == reason, rpc
        assert reason_of(await refusal(ask(doctors, rpc, request, doctors.as_(Role.PATIENT)))) == "PERMISSION_DENIED", (
            rpc
        )
    for rpc, request, _ in calls[:1] + calls[4:5]:
        request.doctor_id = str(uuid4())
        assert reason_of(await refusal(ask(doctors, rpc, request))) == "DOCTOR_NOT_FOUND"


@pytest.mark.parametrize("token", ["x", "====", "bm90IGEgZGF0ZQ==", "\u00e9"])
async def test_a_page_token_of_nobody_is_refused(doctors: DoctorClinic, doctor: Doctor, token: str) -> None:
    for rpc, request in (
        ("ListOverrides", hours.ListOverridesRequest(doctor_id=doctor.doctor_id, page_token=token)),
        ("ListAvailabilityRules", hours.ListAvailabilityRulesRequest(doctor_id=doctor.doctor_id, page_token=token)),
    ):
        assert fields_of(await refusal(ask(doctors, rpc, request))) == ["page_token"]
    too_long = hours.ListOverridesRequest(doctor_id=doctor.doctor_id, page_size=201)
    assert fields_of(await refusal(ask(doctors, "ListOverrides", too_long))) == ["page_size"]
