"""GetAvailability over gRPC: days on which clocks change, what is busy, who may see it, and reading one's own write."""

import asyncio
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.type.date_pb2 import Date
from telemed.doctor.v1 import doctor_service_pb2 as pb
from telemed.type.v1 import scheduling_pb2

from chassis.context import Role
from doctor_svc.domain.availability import WallBlock
from doctor_svc.domain.doctor import Doctor
from doctor_svc.storage.visits import StoredVisits
from kernel.appointment_status import AppointmentStatus
from kernel.appointment_types import AppointmentType
from tests.fix_doctors import DoctorClinic, a_doctor, a_rule, a_visit, change_of, seed
from tests.refusals import fields_of, reason_of, refusal

MONDAY = date(2026, 3, 2)
NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SUNDAY = 0
NIGHT_AND_MORNING = {"morning": WallBlock(time(1), time(3, 30)), "afternoon": WallBlock(time(9), time(12))}


async def day_of(
    clinic: DoctorClinic, doctor: Doctor, day: date, *, seconds: float = 5, **fields: Any
) -> pb.GetAvailabilityResponse:
    request = pb.GetAvailabilityRequest(
        doctor_id=doctor.doctor_id, date=Date(year=day.year, month=day.month, day=day.day), **fields
    )
    return await clinic.service.GetAvailability(request, metadata=clinic.as_(Role.PATIENT), timeout=seconds)


def starts(slots: Any) -> list[str]:
    return [f"{slot.start_time.ToDatetime(UTC):%H:%M}" for slot in slots]


async def a_monday_doctor(clinic: DoctorClinic) -> Doctor:
    doctor = a_doctor()
    await seed(clinic.database, [doctor], [a_rule(doctor, 1)])
    return doctor


async def test_a_day_has_slots_of_a_visit_and_its_buffer_before_and_after_noon(doctors: DoctorClinic) -> None:
    doctor = a_doctor()
    rule = a_rule(doctor, 1, WallBlock(time(9), time(11, 30)), afternoon=WallBlock(time(14), time(15)))
    await seed(doctors.database, [doctor], [rule])
    answer = await day_of(doctors, doctor, MONDAY)
    assert starts(answer.morning_slots) == ["09:00", "09:40", "10:20", "11:00"]
    assert starts(answer.afternoon_slots) == ["14:00"]
    first = answer.morning_slots[0]
    assert first.end_time.ToDatetime(UTC) == NINE + timedelta(minutes=30)
    assert (first.duration_minutes, first.appointment_type) == (
        30,
        scheduling_pb2.APPOINTMENT_TYPE_GENERAL_CONSULTATION,
    )
    assert first.slot_priority == scheduling_pb2.SLOT_PRIORITY_PREFERRED
    assert (answer.doctor_id, answer.doctor_first_name, answer.doctor_last_name) == (doctor.doctor_id, "Ada", "Stone")
    assert (answer.specialty, answer.timezone) == ("Cardiology", "UTC")


@pytest.mark.parametrize(
    ("zone", "now", "day", "expected"),
    [
        # 02:00 to 03:00 is skipped: 01:00 EST is 06:00Z and 03:30 EDT is 07:30Z, 90 minutes apart.
        (
            "America/New_York",
            datetime(2026, 3, 1, tzinfo=UTC),
            date(2026, 3, 8),
            ["06:00", "06:40", "13:00", "13:40", "14:20", "15:00"],
        ),
        # 01:00 to 02:00 comes twice: the first 01:00 is 05:00Z and 03:30 EST is 08:30Z, 210 minutes apart.
        (
            "America/New_York",
            datetime(2026, 9, 1, tzinfo=UTC),
            date(2026, 11, 1),
            ["05:00", "05:40", "06:20", "07:00", "07:40", "14:00", "14:40", "15:20", "16:00"],
        ),
        # 01:30 to 02:00 comes twice: 01:00 at +11:00 is 14:00Z and 03:30 at +10:30 is 17:00Z, 180 minutes apart.
        (
            "Australia/Lord_Howe",
            datetime(2026, 3, 1, tzinfo=UTC),
            date(2026, 4, 5),
            ["14:00", "14:40", "15:20", "16:00", "22:30", "23:10", "23:50", "00:30"],
        ),
    ],
)
async def test_slots_march_in_real_minutes_on_days_when_clocks_change(
    doctor_clinic: DoctorClinic, zone: str, now: datetime, day: date, expected: list[str]
) -> None:
    doctor_clinic.now = now
    doctor = a_doctor(zone=zone)
    await seed(doctor_clinic.database, [doctor], [a_rule(doctor, SUNDAY, **NIGHT_AND_MORNING)])
    async with doctor_clinic.opened():
        answer = await day_of(doctor_clinic, doctor, day)
    assert starts(answer.morning_slots) == expected
    assert not answer.afternoon_slots


async def test_a_block_may_end_at_midnight(doctors: DoctorClinic) -> None:
    doctor = a_doctor()
    await seed(doctors.database, [doctor], [a_rule(doctor, 1, None, afternoon=WallBlock(time(23), None))])
    assert starts((await day_of(doctors, doctor, MONDAY)).afternoon_slots) == ["23:00"]


async def test_a_booked_visit_takes_its_slot_and_a_cancelled_one_gives_it_back(doctors: DoctorClinic) -> None:
    doctor = await a_monday_doctor(doctors)
    booked = a_visit(doctor.doctor_id, NINE)
    revision = doctors.feed.write(change_of(booked))
    answer = await day_of(doctors, doctor, MONDAY, at_least_revision=revision)
    assert starts(answer.morning_slots) == ["09:40", "10:20", "11:00"]

    cancelled = a_visit(
        doctor.doctor_id, NINE, appointment_id=booked.appointment_id, version=2, status=AppointmentStatus.CANCELLED
    )
    revision = doctors.feed.write(change_of(cancelled))
    answer = await day_of(doctors, doctor, MONDAY, at_least_revision=revision)
    assert starts(answer.morning_slots) == ["09:00", "09:40", "10:20", "11:00"]


@pytest.mark.parametrize(("zone", "hours_ahead"), [("Pacific/Kiritimati", 14), ("Pacific/Midway", -11)])
async def test_busy_times_count_in_zones_far_from_utc(doctors: DoctorClinic, zone: str, hours_ahead: int) -> None:
    doctor = a_doctor(zone=zone)
    rule = a_rule(doctor, 1, WallBlock(time(0), time(1)), afternoon=WallBlock(time(23), None), buffer=timedelta(0))
    await seed(doctors.database, [doctor], [rule])
    midnight = datetime(2026, 3, 9, tzinfo=UTC) - timedelta(hours=hours_ahead)
    revision = doctors.feed.write(
        change_of(a_visit(doctor.doctor_id, midnight)),
        change_of(a_visit(doctor.doctor_id, midnight + timedelta(hours=23, minutes=30))),
    )
    answer = await day_of(doctors, doctor, date(2026, 3, 9), at_least_revision=revision)
    assert len(answer.morning_slots) == 0
    assert len(answer.afternoon_slots) == 1


async def test_seats_of_a_shared_time_are_counted_and_other_kinds_keep_out(doctors: DoctorClinic) -> None:
    doctor = a_doctor()
    group = {"kind": AppointmentType.GROUP_SESSION, "duration": timedelta(minutes=50), "capacity": 2}
    await seed(doctors.database, [doctor], [a_rule(doctor, 1, **group), a_rule(doctor, 1)])
    first = a_visit(
        doctor.doctor_id, NINE, kind=AppointmentType.GROUP_SESSION, occupied_until=NINE + timedelta(hours=1)
    )
    revision = doctors.feed.write(change_of(first))
    answer = await day_of(doctors, doctor, MONDAY, at_least_revision=revision)
    assert [
        (f"{slot.start_time.ToDatetime(UTC):%H:%M}", scheduling_pb2.AppointmentType.Name(slot.appointment_type)[17:])
        for slot in answer.morning_slots
    ] == [
        ("09:00", "GROUP_SESSION"),
        ("10:00", "GROUP_SESSION"),
        ("10:20", "GENERAL_CONSULTATION"),
        ("11:00", "GENERAL_CONSULTATION"),
        ("11:00", "GROUP_SESSION"),
    ]


async def test_a_kind_without_rules_borrows_the_general_hours_and_a_length_may_be_asked_for(
    doctors: DoctorClinic,
) -> None:
    doctor = await a_monday_doctor(doctors)
    renewal = await day_of(
        doctors, doctor, MONDAY, appointment_type=scheduling_pb2.APPOINTMENT_TYPE_PRESCRIPTION_RENEWAL
    )
    assert [slot.duration_minutes for slot in renewal.morning_slots] == [15] * 9
    long = await day_of(doctors, doctor, MONDAY, duration_minutes=80)
    assert starts(long.morning_slots) == ["09:00", "10:30"]


async def test_notice_and_horizon_bound_what_is_offered(doctor_clinic: DoctorClinic) -> None:
    doctor = await a_monday_doctor(doctor_clinic)
    doctor_clinic.now = datetime(2026, 3, 2, 8, 20, tzinfo=UTC)
    async with doctor_clinic.opened():
        today = await day_of(doctor_clinic, doctor, MONDAY)
        last = await day_of(doctor_clinic, doctor, date(2026, 5, 25))
        beyond = await day_of(doctor_clinic, doctor, date(2026, 6, 1))
    assert starts(today.morning_slots) == ["10:20", "11:00"]
    assert len(last.morning_slots) == 4
    assert not beyond.morning_slots


async def test_an_unverified_doctor_is_shown_to_themselves_and_staff_alone(doctors: DoctorClinic) -> None:
    doctor = a_doctor(verified=False)
    await seed(doctors.database, [doctor], [a_rule(doctor, 1)])
    request = pb.GetAvailabilityRequest(doctor_id=doctor.doctor_id, date=Date(year=2026, month=3, day=2))
    for caller in (doctors.as_(Role.DOCTOR, doctor.doctor_id), doctors.as_(Role.ADMIN), doctors.as_(Role.SERVICE)):
        assert len((await doctors.service.GetAvailability(request, metadata=caller)).morning_slots) == 4
    for caller in (doctors.as_(Role.PATIENT), doctors.as_(Role.DOCTOR), doctors.as_(Role.PATIENT, doctor.doctor_id)):
        error = await refusal(doctors.service.GetAvailability(request, metadata=caller))
        assert (error.code(), reason_of(error)) == (grpc.StatusCode.NOT_FOUND, "DOCTOR_NOT_FOUND")


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"doctor_id": "{" + str(uuid4()) + "}"}, "doctor_id"),
        ({"date": None}, "date"),
        ({"date": Date(year=2026, month=2, day=30)}, "date"),
        ({"date": Date(year=1, month=1, day=1)}, "date"),
        ({"date": Date(year=9999, month=12, day=31)}, "date"),
        ({"appointment_type": 99}, "appointment_type"),
        ({"duration_minutes": -5}, "duration_minutes"),
        ({"duration_minutes": 241}, "duration_minutes"),
        ({"at_least_revision": "yesterday"}, "at_least_revision"),
        ({"at_least_revision": "9" * 19}, "at_least_revision"),
        ({"at_least_revision": f"{uuid4()}:"}, "at_least_revision"),
    ],
)
async def test_a_wrong_field_is_named(doctors: DoctorClinic, fields: dict[str, Any], named: str) -> None:
    good = {"doctor_id": str(uuid4()), "date": Date(year=2026, month=3, day=2)}
    request = pb.GetAvailabilityRequest(**(good | fields))
    error = await refusal(doctors.service.GetAvailability(request, metadata=doctors.as_(Role.PATIENT)))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert fields_of(error) == [named]


@pytest.mark.parametrize("form", ["number", "version"])
async def test_a_read_waits_until_the_change_that_it_names_is_applied(doctors: DoctorClinic, form: str) -> None:
    doctor = await a_monday_doctor(doctors)
    visit = a_visit(doctor.doctor_id, NINE, version=3)
    token = "1" if form == "number" else f"{visit.appointment_id}:3"
    reading = asyncio.create_task(day_of(doctors, doctor, MONDAY, at_least_revision=token))
    await asyncio.sleep(0.2)
    assert not reading.done()
    doctors.feed.write(change_of(visit))
    assert starts((await reading).morning_slots) == ["09:40", "10:20", "11:00"]


async def test_a_change_that_another_replica_applies_ends_the_wait_too(doctors: DoctorClinic) -> None:
    doctor = await a_monday_doctor(doctors)
    reading = asyncio.create_task(day_of(doctors, doctor, MONDAY, at_least_revision="7"))
    await asyncio.sleep(0.1)
    await StoredVisits(doctors.database).keep([a_visit(doctor.doctor_id, NINE)], 7)
    assert starts((await reading).morning_slots) == ["09:40", "10:20", "11:00"]


async def test_a_read_whose_change_never_comes_is_refused_before_its_deadline(doctors: DoctorClinic) -> None:
    doctor = await a_monday_doctor(doctors)
    error = await refusal(day_of(doctors, doctor, MONDAY, seconds=0.6, at_least_revision="1"))
    assert (error.code(), reason_of(error)) == (grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE")
