"""Rules of availability and overrides over gRPC: list, change, delete, and what they do to free times."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.type.date_pb2 import Date
from google.type.timeofday_pb2 import TimeOfDay
from telemed.doctor.v1 import availability_pb2 as hours
from telemed.doctor.v1 import doctor_pb2
from telemed.doctor.v1 import doctor_service_pb2 as pb
from telemed.type.v1 import scheduling_pb2

from chassis.context import Role
from chassis.protos import from_date
from chassis.sql import Query
from doctor_svc.domain.doctor import Doctor
from kernel.appointment_status import AppointmentStatus
from tests.fix_doctors import DoctorClinic, a_doctor, a_rule, a_visit, change_of, seed
from tests.refusals import fields_of, reason_of, refusal

MONDAY = date(2026, 3, 2)
NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
BLOCK = hours.OVERRIDE_KIND_MANUAL_BLOCK
EXTRA = hours.OVERRIDE_KIND_EXTRA_HOURS


def clock(text: str) -> TimeOfDay:
    hour, minute = text.split(":")
    return TimeOfDay(hours=int(hour), minutes=int(minute))


@pytest.fixture
async def doctor(doctors: DoctorClinic) -> Doctor:
    """Works on Mondays from nine to twelve."""
    doctor = a_doctor()
    await seed(doctors.database, [doctor], [a_rule(doctor, 1)])
    return doctor


async def ask(clinic: DoctorClinic, rpc: str, request: Any, who: Any = None) -> Any:
    return await getattr(clinic.service, rpc)(request, metadata=who or clinic.as_(Role.ADMIN), timeout=5)


async def starts(clinic: DoctorClinic, doctor: Doctor, day: date = MONDAY, **fields: Any) -> list[str]:
    request = pb.GetAvailabilityRequest(doctor_id=doctor.doctor_id, date=from_date(day), **fields)
    answer = await ask(clinic, "GetAvailability", request)
    return [f"{slot.start_time.ToDatetime(UTC):%H:%M}" for slot in (*answer.morning_slots, *answer.afternoon_slots)]


async def the_rule(clinic: DoctorClinic, doctor: Doctor) -> doctor_pb2.AvailabilityRule:
    request = hours.ListAvailabilityRulesRequest(doctor_id=doctor.doctor_id)
    (rule,) = (await ask(clinic, "ListAvailabilityRules", request)).rules
    return rule


def update(
    doctor: Doctor, rule_id: str, mask: list[str] | None = None, **fields: Any
) -> hours.UpdateAvailabilityRequest:
    return hours.UpdateAvailabilityRequest(
        doctor_id=doctor.doctor_id,
        rule_id=rule_id,
        rule=doctor_pb2.AvailabilityRule(**fields),
        update_mask=FieldMask(paths=mask or []),
    )


def override(
    doctor: Doctor, *, dry_run: bool = False, request_id: str = "", **fields: Any
) -> hours.CreateOverrideRequest:
    given = {"kind": BLOCK, "start_date": from_date(MONDAY)} | fields
    return hours.CreateOverrideRequest(
        doctor_id=doctor.doctor_id,
        override=hours.AvailabilityOverride(**given),
        dry_run=dry_run,
        request_id=request_id,
    )


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


async def test_a_block_takes_free_times_away_and_gives_them_back(doctors: DoctorClinic, doctor: Doctor) -> None:
    request = override(doctor, start_time=clock("10:00"), end_time=clock("10:30"), note="A meeting", request_id="once")
    me = doctors.as_(Role.DOCTOR, doctor.doctor_id)
    made = [await ask(doctors, "CreateOverride", request, me) for _ in range(2)]
    assert made[0] == made[1]
    kept = made[0].override
    assert (kept.note, kept.end_date, made[0].affected_count) == ("A meeting", from_date(MONDAY), 0)
    assert await starts(doctors, doctor) == ["09:00", "10:30", "11:10"]
    listed = await ask(doctors, "ListOverrides", hours.ListOverridesRequest(doctor_id=doctor.doctor_id))
    assert list(listed.overrides) == [kept]
    gone = hours.DeleteOverrideRequest(doctor_id=doctor.doctor_id, override_id=kept.override_id)
    await ask(doctors, "DeleteOverride", gone)
    assert await starts(doctors, doctor) == ["09:00", "09:40", "10:20", "11:00"]
    assert reason_of(await refusal(ask(doctors, "DeleteOverride", gone))) == "OVERRIDE_NOT_FOUND"


async def test_extra_hours_are_offered_also_where_they_win_over_a_vacation(
    doctors: DoctorClinic, doctor: Doctor
) -> None:
    vacation = override(doctor, kind=hours.OVERRIDE_KIND_VACATION, end_date=from_date(MONDAY + timedelta(days=13)))
    await ask(doctors, "CreateOverride", vacation)
    window = {"start_time": clock("18:00"), "end_time": clock("19:00"), "kind": EXTRA, "duration_minutes": 25}
    await ask(doctors, "CreateOverride", override(doctor, **window))
    assert await starts(doctors, doctor) == []
    follow_up = scheduling_pb2.APPOINTMENT_TYPE_FOLLOW_UP
    window |= {"overrides_blocks": True, "appointment_type": follow_up, "buffer_minutes": 5}
    answer = await ask(doctors, "CreateOverride", override(doctor, **window, max_concurrent_appointments=3))
    assert answer.override.max_concurrent_appointments == 3
    # Without asking for a kind, extra hours count like a rule of their kind.
    assert await starts(doctors, doctor) == ["18:00", "18:30"]
    match = await ask(
        doctors,
        "MatchDoctors",
        pb.MatchDoctorsRequest(
            appointment_type=follow_up, preferred_date=from_date(MONDAY), doctor_id=doctor.doctor_id
        ),
    )
    offered = [
        (slot.slot.start_time.ToDatetime(UTC).hour, slot.max_concurrent_appointments) for slot in match.matches[0].slots
    ]
    assert offered == [(18, 3), (18, 3)]


async def test_an_exact_time_that_an_override_takes_away_is_outside_the_hours(
    doctors: DoctorClinic, doctor: Doctor
) -> None:
    wish = pb.MatchDoctorsRequest(
        appointment_type=scheduling_pb2.APPOINTMENT_TYPE_GENERAL_CONSULTATION, doctor_id=doctor.doctor_id
    )
    wish.start_time.FromDatetime(NINE)
    assert (await ask(doctors, "MatchDoctors", wish)).matches[0].HasField("exact_slot")
    await ask(doctors, "CreateOverride", override(doctor, kind=hours.OVERRIDE_KIND_SICK))
    assert not (await ask(doctors, "MatchDoctors", wish)).matches[0].HasField("exact_slot")


async def test_a_dry_run_tells_whom_it_would_hit_and_stores_nothing(doctors: DoctorClinic, doctor: Doctor) -> None:
    hit = a_visit(doctor.doctor_id, NINE)
    # Its buffer reaches into the closed time, the visit itself does not.
    before = a_visit(doctor.doctor_id, NINE - timedelta(minutes=30))
    done = a_visit(doctor.doctor_id, NINE, status=AppointmentStatus.CANCELLED)
    other_day = a_visit(doctor.doctor_id, NINE + timedelta(days=1))
    of_another = a_visit(str(uuid4()), NINE)
    revision = doctors.feed.write(*map(change_of, (hit, before, done, other_day, of_another)))
    await starts(doctors, doctor, at_least_revision=revision)
    window = {"start_time": clock("09:00"), "end_time": clock("12:00")}
    answer = await ask(doctors, "CreateOverride", override(doctor, dry_run=True, **window))
    assert [visit.appointment_id for visit in answer.affected_visits] == [hit.appointment_id]
    assert answer.affected_visits[0].start_time.ToDatetime(UTC) == NINE
    assert (answer.affected_count, answer.override.override_id) == (1, "")
    assert await doctors.database.one(Query("count", "SELECT count(*)::int AS n FROM availability_override")) == {
        "n": 0
    }
    whole = await ask(doctors, "CreateOverride", override(doctor, end_date=from_date(MONDAY + timedelta(days=1))))
    assert whole.affected_count == 3
    extra = override(doctor, dry_run=True, kind=EXTRA, start_time=clock("09:00"), end_time=clock("12:00"))
    assert (await ask(doctors, "CreateOverride", extra)).affected_count == 0


async def test_overrides_are_listed_by_first_day_page_by_page_and_from_a_day_on(
    doctors: DoctorClinic, doctor: Doctor
) -> None:
    for ahead in (4, 0, 2, 0):
        day = from_date(MONDAY + timedelta(days=ahead))
        await ask(doctors, "CreateOverride", override(doctor, start_date=day))
    found, token, pages = [], "", 0
    while token or not pages:
        request = hours.ListOverridesRequest(doctor_id=doctor.doctor_id, page_size=3, page_token=token)
        page = await ask(doctors, "ListOverrides", request)
        found += [one.start_date.day for one in page.overrides]
        token, pages = page.next_page_token, pages + 1
    assert (found, pages) == ([2, 2, 4, 6], 2)
    later = hours.ListOverridesRequest(doctor_id=doctor.doctor_id, from_date=from_date(MONDAY + timedelta(days=1)))
    assert [one.start_date.day for one in (await ask(doctors, "ListOverrides", later)).overrides] == [4, 6]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"kind": 0}, "override.kind"),
        ({"kind": 77}, "override.kind"),
        ({"start_date": None}, "override.start_date"),
        ({"start_date": Date(year=2026, month=2, day=30)}, "override.start_date"),
        ({"start_date": from_date(date(2026, 2, 27)), "end_date": from_date(date(2026, 2, 28))}, "override.end_date"),
        ({"end_date": from_date(MONDAY - timedelta(days=1))}, "override.end_date"),
        ({"end_date": from_date(MONDAY + timedelta(days=367))}, "override.end_date"),
        ({"start_date": from_date(date(9999, 1, 1))}, "override.start_date"),
        ({"start_time": clock("09:00")}, "override.end_time"),
        ({"end_time": clock("09:00")}, "override.start_time"),
        ({"start_time": clock("09:00"), "end_time": clock("09:00")}, "override.end_time"),
        ({"start_time": clock("24:00"), "end_time": clock("09:00")}, "override.start_time"),
        ({"note": "x" * 501}, "override.note"),
        ({"note": "a\0b"}, "override.note"),
        ({"duration_minutes": 30}, "override.duration_minutes"),
        ({"overrides_blocks": True}, "override.overrides_blocks"),
        ({"kind": EXTRA}, "override.start_time"),
        (
            {"kind": EXTRA, "start_time": clock("09:00"), "end_time": clock("09:20")},
            "override.end_time",
        ),
        (
            {"kind": EXTRA, "start_time": clock("09:00"), "end_time": clock("24:00"), "duration_minutes": 241},
            "override.duration_minutes",
        ),
        (
            {"kind": EXTRA, "start_time": clock("09:00"), "end_time": clock("10:00"), "buffer_minutes": 121},
            "override.buffer_minutes",
        ),
        (
            {
                "kind": EXTRA,
                "start_time": clock("09:00"),
                "end_time": clock("10:00"),
                "max_concurrent_appointments": 101,
            },
            "override.max_concurrent_appointments",
        ),
        (
            {"kind": EXTRA, "start_time": clock("09:00"), "end_time": clock("10:00"), "appointment_type": 99},
            "override.appointment_type",
        ),
    ],
)
async def test_a_bad_override_is_refused_by_its_field(
    doctors: DoctorClinic, doctor: Doctor, fields: dict[str, Any], field: str
) -> None:
    error = await refusal(ask(doctors, "CreateOverride", override(doctor, **fields)))
    assert (error.code(), fields_of(error)) == (grpc.StatusCode.INVALID_ARGUMENT, [field])


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
