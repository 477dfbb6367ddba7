"""ListAvailabilitySummaries over gRPC: refreshed in the background, by next free time, page by page, for staff."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from telemed.doctor.v1 import insights_pb2 as pb

from chassis.context import Role
from chassis.sql import Query
from doctor_svc.domain.doctor import Doctor
from tests.fix_doctors import NOON, DoctorClinic, a_doctor, a_rule, a_visit, change_of, seed
from tests.refusals import fields_of, reason_of, refusal

VISITS = Query("visits", "SELECT appointment_id FROM visit")
NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


async def ask(clinic: DoctorClinic, role: Role = Role.ADMIN, **fields: Any) -> pb.ListAvailabilitySummariesResponse:
    request = pb.ListAvailabilitySummariesRequest(**fields)
    page: pb.ListAvailabilitySummariesResponse = await clinic.service.ListAvailabilitySummaries(
        request, metadata=clinic.as_(role), timeout=10
    )
    return page


async def refreshed(clinic: DoctorClinic, at_least: datetime) -> pb.ListAvailabilitySummariesResponse:
    """The first page once a refresh of that time or later was made."""
    async with asyncio.timeout(10):
        while (page := await ask(clinic)).refresh_time.ToDatetime(UTC) < at_least:  # noqa: ASYNC110 - a background task does it
            await asyncio.sleep(0.02)
    return page


async def a_clinic(clinic: DoctorClinic) -> list[Doctor]:
    """Doctors who are free from Monday on, from Tuesday on, in three weeks, and never; the first is booked at nine."""
    doctors = [a_doctor(specialty=name) for name in ("Cardiology", "Urology", "Urology", "Neurology")]
    rules = [a_rule(doctors[0], 1), a_rule(doctors[1], 2)]
    rules.append(a_rule(doctors[2], 1, day_of_week=None, specific_date=NOON.date() + timedelta(days=22)))
    await seed(clinic.database, doctors, rules)
    clinic.feed.write(change_of(a_visit(doctors[0].doctor_id, NINE)))
    async with asyncio.timeout(10):
        while not await clinic.database.one(VISITS):  # noqa: ASYNC110 - another task copies it
            await asyncio.sleep(0.01)
    return doctors


async def test_the_next_days_are_summed_up_and_follow_the_bookings(doctor_clinic: DoctorClinic) -> None:
    doctor_clinic.summary_seconds = 0.2
    async with doctor_clinic.opened() as clinic:
        doctors = await a_clinic(clinic)
        clinic.now = NOON + timedelta(seconds=1)
        page = await refreshed(clinic, clinic.now)
        told = {summary.doctor_id: summary for summary in page.summaries}
        assert [summary.doctor_id for summary in page.summaries][:2] == [doctors[0].doctor_id, doctors[1].doctor_id]
        first = told[doctors[0].doctor_id]
        assert (first.doctor_first_name, first.specialty, first.timezone) == ("Ada", "Cardiology", "UTC")
        assert first.next_free_time.ToDatetime(UTC) == NINE + timedelta(minutes=40)
        assert first.next_7_days == pb.AvailabilityTotals(offered_minutes=160, booked_minutes=40, free_slots=3)
        assert first.next_14_days == pb.AvailabilityTotals(offered_minutes=320, booked_minutes=40, free_slots=7)
        assert not told[doctors[2].doctor_id].HasField("next_free_time")
        assert told[doctors[3].doctor_id].next_14_days == pb.AvailabilityTotals()
        clinic.feed.write(change_of(a_visit(doctors[0].doctor_id, NINE + timedelta(minutes=40))))
        async with asyncio.timeout(10):
            while (await ask(clinic)).summaries[0].next_7_days.free_slots != 2:
                clinic.now += timedelta(seconds=1)
                await asyncio.sleep(0.02)


async def test_pages_follow_each_other_also_past_those_who_are_never_free(doctor_clinic: DoctorClinic) -> None:
    doctor_clinic.summary_seconds = 300
    doctors = [a_doctor() for _ in range(7)]
    await seed(doctor_clinic.database, doctors, [a_rule(doctor, 1) for doctor in doctors[:3]])
    async with doctor_clinic.opened() as clinic:
        everyone = [summary.doctor_id for summary in (await refreshed(clinic, NOON)).summaries]
        assert set(everyone[:3]) == {doctor.doctor_id for doctor in doctors[:3]}
        found, token, pages = [], "", 0
        while token or not pages:
            page = await ask(clinic, page_size=2, page_token=token)
            found += [summary.doctor_id for summary in page.summaries]
            token, pages = page.next_page_token, pages + 1
        assert (found, pages) == (everyone, 4)


async def test_a_specialty_is_a_filter_and_an_empty_page_tells_its_time(doctor_clinic: DoctorClinic) -> None:
    doctor_clinic.summary_seconds = 300
    doctors = [a_doctor(specialty="Urology", sub_specialties=("Andrology",)), a_doctor()]
    await seed(doctor_clinic.database, doctors, [])
    async with doctor_clinic.opened() as clinic:
        await refreshed(clinic, NOON)
        for wish, count in (("UROLOGY", 1), ("andrology", 1), ("", 2), ("Surgery", 0)):
            page = await ask(clinic, specialty=wish)
            assert (len(page.summaries), page.refresh_time.ToDatetime(UTC)) == (count, NOON), wish


async def test_without_a_period_nothing_is_refreshed(doctors: DoctorClinic) -> None:
    await seed(doctors.database, [a_doctor()], [])
    page = await ask(doctors, Role.SERVICE)
    assert (list(page.summaries), page.HasField("refresh_time")) == ([], False)


@pytest.mark.parametrize("role", [Role.PATIENT, Role.DOCTOR])
async def test_it_is_for_administrators_and_services(doctors: DoctorClinic, role: Role) -> None:
    assert reason_of(await refusal(ask(doctors, role))) == "PERMISSION_DENIED"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"specialty": "x" * 101}, "specialty"),
        ({"page_size": 201}, "page_size"),
        ({"page_token": "bm8="}, "page_token"),
    ],
)
async def test_a_bad_field_is_named(doctors: DoctorClinic, fields: dict[str, Any], field: str) -> None:
    assert fields_of(await refusal(ask(doctors, **fields))) == [field]
