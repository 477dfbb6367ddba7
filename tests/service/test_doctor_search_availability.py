"""SearchAvailability over gRPC: who is free on a day, the earliest first."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from google.type.date_pb2 import Date
from telemed.doctor.v1 import availability_pb2 as pb

from chassis.context import Role
from chassis.protos import from_date
from doctor_svc.domain.availability import WallBlock
from tests.fix_doctors import DoctorClinic, a_doctor, a_rule, a_visit, change_of, seed
from tests.refusals import fields_of, refusal

MONDAY = date(2026, 3, 2)


async def ask(clinic: DoctorClinic, **fields: Any) -> pb.SearchAvailabilityResponse:
    request = pb.SearchAvailabilityRequest(**({"date": from_date(MONDAY)} | fields))
    return await clinic.service.SearchAvailability(request, metadata=clinic.as_(Role.PATIENT), timeout=5)


async def test_doctors_come_by_their_first_free_slot_page_by_page(doctors: DoctorClinic) -> None:
    hours = [9, 15, 11, 13, 9]
    clinic = [a_doctor() for _ in hours]
    others = [a_doctor(specialty="Dermatology"), a_doctor(verified=False)]
    rules = [a_rule(one, 1, WallBlock(time(hour), time(hour + 2))) for one, hour in zip(clinic, hours, strict=True)] + [
        a_rule(one, 1) for one in others
    ]
    await seed(doctors.database, [*clinic, *others], rules)
    # The first of the five is booked at nine, so that doctor comes after the other who starts at nine.
    booked = a_visit(clinic[0].doctor_id, doctors.now + timedelta(hours=21))
    revision = doctors.feed.write(change_of(booked))
    found, token, pages = [], "", 0
    while token or not pages:
        page = await ask(doctors, specialty="CARDIOLOGY", page_size=2, page_token=token, at_least_revision=revision)
        found += list(page.doctors)
        token, pages = page.next_page_token, pages + 1
    assert pages == 3
    assert [one.doctor_id for one in found] == [clinic[index].doctor_id for index in (4, 0, 2, 3, 1)]
    assert [one.free_slots for one in found] == [3, 2, 3, 3, 3]
    assert found[1].slots[0].start_time.ToDatetime(UTC) == datetime(2026, 3, 2, 9, 40, tzinfo=UTC)


async def test_the_day_is_meant_in_the_zone_of_the_request(doctors: DoctorClinic) -> None:
    doctor = a_doctor()
    await seed(doctors.database, [doctor], [a_rule(doctor, 1)])
    assert len((await ask(doctors)).doctors) == 1
    # Nine in the morning of Monday in UTC is eleven at night of that day in Kiritimati, and of Sunday in Midway.
    assert len((await ask(doctors, timezone="Pacific/Kiritimati")).doctors) == 1
    midway = await ask(doctors, timezone="Pacific/Midway", date=from_date(MONDAY - timedelta(days=1)))
    assert [slot.start_time.ToDatetime().hour for slot in midway.doctors[0].slots] == [9, 9, 10]
    assert (await ask(doctors, date=from_date(MONDAY + timedelta(days=1)))).doctors == []


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"date": None}, "date"),
        ({"date": Date(year=2026, month=2, day=30)}, "date"),
        ({"date": Date(year=9999, month=12, day=31)}, "date"),
        ({"timezone": "America"}, "timezone"),
        ({"specialty": "x" * 101}, "specialty"),
        ({"appointment_type": 77}, "appointment_type"),
        ({"duration_minutes": 241}, "duration_minutes"),
        ({"page_size": 201}, "page_size"),
        ({"page_token": "x"}, "page_token"),
    ],
)
async def test_a_bad_field_is_named(doctors: DoctorClinic, fields: dict[str, Any], field: str) -> None:
    assert fields_of(await refusal(ask(doctors, **fields))) == [field]
