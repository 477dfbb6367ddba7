"""ListSlots over gRPC: a month page by page, and whose."""

from datetime import UTC, date, timedelta
from typing import Any

import pytest
from google.type.date_pb2 import Date
from telemed.doctor.v1 import availability_pb2 as pb

from chassis.context import Role
from chassis.protos import from_date
from kernel.appointment_types import AppointmentType
from tests.fix_doctors import DoctorClinic, a_doctor, a_rule, a_visit, change_of, seed
from tests.refusals import fields_of, reason_of, refusal

MONDAY = date(2026, 3, 2)


async def page(clinic: DoctorClinic, doctor_id: str, who: Any = None, **fields: Any) -> pb.ListSlotsResponse:
    given = {"from_date": from_date(MONDAY), "to_date": from_date(MONDAY + timedelta(days=30))} | fields
    request = pb.ListSlotsRequest(doctor_id=doctor_id, **given)
    return await clinic.service.ListSlots(request, metadata=who or clinic.as_(Role.PATIENT), timeout=5)


@pytest.mark.parametrize("size", [1, 7, 200])
async def test_a_month_is_the_same_in_pages_of_any_size(doctors: DoctorClinic, size: int) -> None:
    doctor = a_doctor(zone="America/New_York")
    follow_up = AppointmentType.FOLLOW_UP
    await seed(
        doctors.database, [doctor], [a_rule(doctor, day) for day in (1, 3)] + [a_rule(doctor, 1, kind=follow_up)]
    )
    found, token, first = [], "", True
    while token or first:
        answer = await page(doctors, doctor.doctor_id, page_size=size, page_token=token)
        assert answer.timezone == "America/New_York"
        found += [(slot.start_time.ToDatetime(UTC), slot.appointment_type) for slot in answer.slots]
        token, first = answer.next_page_token, False
    # Four slots on five Mondays and five Wednesdays, and as many again for follow-ups on the Mondays.
    assert len(found) == 10 * 4 + 5 * 4
    assert found == sorted(set(found))
    # The clocks change on the eighth of March: nine o'clock is an hour earlier in UTC from then on.
    assert next(start.hour for start, _ in found if start.date() == MONDAY) == 14
    assert next(start.hour for start, _ in found if start.date() == MONDAY + timedelta(days=7)) == 13


async def test_what_is_booked_is_left_out_and_a_kind_can_be_chosen(doctors: DoctorClinic) -> None:
    doctor = a_doctor()
    await seed(doctors.database, [doctor], [a_rule(doctor, 1)])
    revision = doctors.feed.write(change_of(a_visit(doctor.doctor_id, doctors.now + timedelta(hours=21))))
    week = {"to_date": from_date(MONDAY + timedelta(days=6)), "at_least_revision": revision}
    starts = [slot.start_time.ToDatetime() for slot in (await page(doctors, doctor.doctor_id, **week)).slots]
    assert [f"{start:%H:%M}" for start in starts] == ["09:40", "10:20", "11:00"]
    group = await page(doctors, doctor.doctor_id, appointment_type=10, duration_minutes=75, **week)
    assert [f"{slot.start_time.ToDatetime():%H:%M}" for slot in group.slots] == ["10:25"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"from_date": None}, "from"),
        ({"to_date": None}, "to"),
        ({"from_date": Date(year=2026, month=2, day=30)}, "from"),
        ({"to_date": from_date(MONDAY - timedelta(days=1))}, "to"),
        ({"to_date": from_date(MONDAY + timedelta(days=31))}, "to"),
        ({"from_date": Date(year=9999, month=1, day=1), "to_date": Date(year=9999, month=1, day=2)}, "from"),
        ({"page_size": -1}, "page_size"),
        ({"page_size": 201}, "page_size"),
        ({"page_token": "x"}, "page_token"),
        ({"duration_minutes": 4}, "duration_minutes"),
        ({"appointment_type": 77}, "appointment_type"),
    ],
)
async def test_a_bad_field_is_named(doctors: DoctorClinic, fields: dict[str, Any], field: str) -> None:
    doctor = a_doctor()
    await seed(doctors.database, [doctor], [a_rule(doctor, 1)])
    assert fields_of(await refusal(page(doctors, doctor.doctor_id, **fields))) == [field]


async def test_an_unverified_doctor_shows_times_to_themselves_alone(doctors: DoctorClinic) -> None:
    doctor = a_doctor(verified=False)
    await seed(doctors.database, [doctor], [a_rule(doctor, 1)])
    assert reason_of(await refusal(page(doctors, doctor.doctor_id))) == "DOCTOR_NOT_FOUND"
    mine = await page(doctors, doctor.doctor_id, doctors.as_(Role.DOCTOR, doctor.doctor_id))
    assert len(mine.slots) == 20
