"""Overrides over gRPC: time taken away and added, dry runs, pages, and what a bad one is told."""

from datetime import UTC, date, timedelta
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.type.date_pb2 import Date
from telemed.doctor.v1 import availability_pb2 as hours
from telemed.doctor.v1 import doctor_service_pb2 as pb
from telemed.type.v1 import scheduling_pb2

from chassis.context import Role
from chassis.protos import from_date
from chassis.sql import Query
from doctor_svc.domain.doctor import Doctor
from kernel.appointment_status import AppointmentStatus
from tests.fix_doctors import DoctorClinic, a_visit, change_of
from tests.refusals import fields_of, reason_of, refusal
from tests.service.hours_harness import EXTRA, MONDAY, NINE, ask, clock, override, starts, working_on_mondays


@pytest.fixture
async def doctor(doctors: DoctorClinic) -> Doctor:
    return await working_on_mondays(doctors)


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
