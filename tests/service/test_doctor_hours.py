"""Rules of availability over gRPC: listed, changed, deleted, and what a bad change is told."""

from datetime import timedelta
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.type.date_pb2 import Date
from telemed.doctor.v1 import availability_pb2 as hours
from telemed.doctor.v1 import doctor_pb2

from chassis.context import Role
from doctor_svc.domain.doctor import Doctor
from tests.fix_doctors import DoctorClinic, a_doctor, a_rule, seed
from tests.refusals import fields_of, reason_of, refusal
from tests.service.hours_harness import MONDAY, ask, clock, starts, the_rule, update, working_on_mondays


@pytest.fixture
async def doctor(doctors: DoctorClinic) -> Doctor:
    return await working_on_mondays(doctors)


async def test_rules_are_listed_page_by_page(doctors: DoctorClinic) -> None:
    doctor = a_doctor()
    rules = [a_rule(doctor, day) for day in range(5)]
    await seed(doctors.database, [doctor], rules)
    found, token, pages = [], "", 0
    while token or not pages:
        request = hours.ListAvailabilityRulesRequest(doctor_id=doctor.doctor_id, page_size=2, page_token=token)
        page = await ask(doctors, "ListAvailabilityRules", request)
        found += [rule.rule_id for rule in page.rules]
        token, pages = page.next_page_token, pages + 1
    assert (found, pages) == (sorted(rule.rule_id for rule in rules), 3)


async def test_an_update_changes_the_named_fields_and_no_other(doctors: DoctorClinic, doctor: Doctor) -> None:
    before = await the_rule(doctors, doctor)
    changed = await ask(
        doctors, "UpdateAvailability", update(doctor, before.rule_id, morning_end_time=clock("10:30"), buffer_minutes=0)
    )
    expected = doctor_pb2.AvailabilityRule()
    expected.CopyFrom(before)
    expected.MergeFrom(doctor_pb2.AvailabilityRule(morning_end_time=clock("10:30"), buffer_minutes=0, etag="2"))
    assert changed == expected == await the_rule(doctors, doctor)
    assert await starts(doctors, doctor) == ["09:00", "09:30", "10:00"]


async def test_a_field_in_the_mask_without_a_value_gets_its_default(doctors: DoctorClinic, doctor: Doctor) -> None:
    rule = await the_rule(doctors, doctor)
    request = update(
        doctor, rule.rule_id, ["min_notice_minutes", "buffer_minutes"], min_notice_minutes=90, duration_minutes=5
    )
    changed = await ask(doctors, "UpdateAvailability", request)
    assert (changed.min_notice_minutes, changed.buffer_minutes, changed.duration_minutes) == (90, 10, 30)
    cleared = await ask(doctors, "UpdateAvailability", update(doctor, rule.rule_id, ["min_notice_minutes"]))
    assert not cleared.HasField("min_notice_minutes")


async def test_a_rule_that_was_read_can_be_sent_back_whole(doctors: DoctorClinic, doctor: Doctor) -> None:
    rule = await the_rule(doctors, doctor)
    rule.max_advance_days = 3
    request = hours.UpdateAvailabilityRequest(
        doctor_id=doctor.doctor_id, rule_id=rule.rule_id, rule=rule, update_mask=FieldMask(paths=["*"])
    )
    assert (await ask(doctors, "UpdateAvailability", request)).etag == "2"
    assert await starts(doctors, doctor) == ["09:00", "09:40", "10:20", "11:00"]
    assert await starts(doctors, doctor, MONDAY + timedelta(days=7)) == []
    assert reason_of(await refusal(ask(doctors, "UpdateAvailability", request))) == "ETAG_MISMATCH"


@pytest.mark.parametrize(
    ("fields", "mask", "field"),
    [
        ({"day_of_week": 9}, None, "rule.day_of_week"),
        ({"morning_end_time": clock("08:00")}, None, "rule.morning_end_time"),
        ({"duration_minutes": 4}, None, "rule.duration_minutes"),
        ({"min_notice_minutes": -1}, None, "rule.min_notice_minutes"),
        ({"min_notice_minutes": 43_201}, None, "rule.min_notice_minutes"),
        ({"max_advance_days": 731}, None, "rule.max_advance_days"),
        ({"specific_date": Date(year=2026, month=4, day=5)}, None, "rule.specific_date"),
        ({}, ["morning_start_time", "morning_end_time"], "rule.morning_start_time"),
        ({}, ["colour"], "update_mask"),
    ],
)
async def test_a_bad_change_is_refused_by_its_field_and_changes_nothing(
    doctors: DoctorClinic, doctor: Doctor, fields: dict[str, Any], mask: list[str] | None, field: str
) -> None:
    before = await the_rule(doctors, doctor)
    error = await refusal(ask(doctors, "UpdateAvailability", update(doctor, before.rule_id, mask, **fields)))
    assert fields_of(error) == [field]
    assert await the_rule(doctors, doctor) == before


async def test_a_change_into_other_hours_names_the_block_and_the_rule_in_the_way(doctors: DoctorClinic) -> None:
    doctor = a_doctor()
    monday, tuesday = a_rule(doctor, 1), a_rule(doctor, 2)
    await seed(doctors.database, [doctor], [monday, tuesday])
    error = await refusal(ask(doctors, "UpdateAvailability", update(doctor, tuesday.rule_id, day_of_week=1)))
    assert (reason_of(error), fields_of(error)) == ("RULE_OVERLAPS", ["rule.morning_start_time"])


async def test_a_deleted_rule_offers_nothing_and_is_gone(doctors: DoctorClinic, doctor: Doctor) -> None:
    rule = await the_rule(doctors, doctor)
    stale = hours.DeleteAvailabilityRequest(doctor_id=doctor.doctor_id, rule_id=rule.rule_id, etag="7")
    assert reason_of(await refusal(ask(doctors, "DeleteAvailability", stale))) == "ETAG_MISMATCH"
    request = hours.DeleteAvailabilityRequest(
        doctor_id=doctor.doctor_id, rule_id=rule.rule_id, etag=rule.etag, request_id="once"
    )
    me = doctors.as_(Role.DOCTOR, doctor.doctor_id)
    for _ in range(2):  # the second is the saved answer
        await ask(doctors, "DeleteAvailability", request, me)
    assert await starts(doctors, doctor) == []
    request.request_id = ""
    assert reason_of(await refusal(ask(doctors, "DeleteAvailability", request))) == "RULE_NOT_FOUND"
