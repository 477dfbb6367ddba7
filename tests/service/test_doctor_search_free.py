"""Search for a free day over gRPC: on random clinics it finds just those for whom GetAvailability tells a slot."""

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from telemed.doctor.v1 import doctor_service_pb2 as pb
from telemed.doctor.v1 import search_pb2
from telemed.type.v1 import scheduling_pb2

from chassis.context import Role
from chassis.protos import from_date
from doctor_svc.api.fields import kind_number
from doctor_svc.app import search_doctors
from doctor_svc.domain.doctor import Doctor
from doctor_svc.storage.hour_rows import override_row
from doctor_svc.storage.sql import HOURS
from kernel.appointment_types import AppointmentType
from tests.domain.doctor.random_hours import KINDS, ZONES, some_overrides, some_rules
from tests.fix_doctors import NOON, DoctorClinic, a_doctor, a_rule, a_visit, change_of, seed
from tests.fix_spans import Spans
from tests.refusals import fields_of, refusal

MARCH = date(2026, 3, 1)
MONDAY = date(2026, 3, 2)


async def call(clinic: DoctorClinic, rpc: str, request: Any) -> Any:
    return await getattr(clinic.service, rpc)(request, metadata=clinic.as_(Role.PATIENT), timeout=20)


async def search(clinic: DoctorClinic, **wish: Any) -> list[str]:
    """Everyone found, page by page, in order."""
    found: list[str] = []
    token, first = "", True
    while token or first:
        page = await call(clinic, "SearchDoctors", search_pb2.SearchDoctorsRequest(page_token=token, **wish))
        found += [doctor.doctor_id for doctor in page.doctors]
        token, first = page.next_page_token, False
    return found


async def is_free(clinic: DoctorClinic, doctor: Doctor, day: date, kind: int) -> bool:
    request = pb.GetAvailabilityRequest(doctor_id=doctor.doctor_id, date=from_date(day), appointment_type=kind)
    answer = await call(clinic, "GetAvailability", request)
    return bool(answer.morning_slots or answer.afternoon_slots)


async def copied(clinic: DoctorClinic, doctor: Doctor, revision: str) -> None:
    """Returns once a change is copied."""
    request = pb.GetAvailabilityRequest(doctor_id=doctor.doctor_id, date=from_date(MONDAY), at_least_revision=revision)
    await call(clinic, "GetAvailability", request)


async def a_random_clinic(clinic: DoctorClinic, chance: random.Random) -> list[Doctor]:
    """Doctors whose days are partly closed, added to, borrowed from general hours, full, or booked out."""
    doctors = [a_doctor(zone=chance.choice(ZONES), max_daily_appointments=chance.choice((0, 0, 2))) for _ in range(25)]
    rules = [rule for doctor in doctors for rule in some_rules(chance, doctor.doctor_id, MARCH)]
    await seed(clinic.database, doctors, rules)
    for doctor in doctors:
        for override in some_overrides(chance, doctor.doctor_id, MARCH):
            await clinic.database.execute(HOURS["insert_override"], override_row(override, NOON))
    starts = [datetime(2026, 3, 2, tzinfo=UTC) + timedelta(minutes=20 * number) for number in range(8 * 72)]
    visits = [
        a_visit(doctor.doctor_id, start, kind=chance.choice(KINDS))
        for doctor in doctors
        for start in chance.sample(starts, chance.choice((5, 100, 400)))
    ]
    revision = clinic.feed.write(*map(change_of, visits))
    await copied(clinic, doctors[0], revision)
    return doctors


@pytest.mark.parametrize("seed_of_case", range(3))
async def test_those_are_found_who_have_a_slot_that_day(doctors: DoctorClinic, seed_of_case: int) -> None:
    chance = random.Random(seed_of_case)  # noqa: S311 - makes cases, guards nothing
    clinic = await a_random_clinic(doctors, chance)
    free = busy = 0
    for ahead in range(0, 9, 2):
        day = MARCH + timedelta(days=ahead)
        # Nobody has hours of this kind of their own: all who have it borrow them from the general consultation.
        for kind in (None, *KINDS, AppointmentType.PRESCRIPTION_RENEWAL):
            number = kind_number(kind) if kind else scheduling_pb2.APPOINTMENT_TYPE_UNSPECIFIED
            found = await search(doctors, available_on=from_date(day), appointment_type=number, page_size=7)
            expected = {one.doctor_id for one in clinic if await is_free(doctors, one, day, number)}
            assert len(found) == len(set(found))
            assert set(found) == expected, (day, kind)
            free, busy = free + len(expected), busy + len(clinic) - len(expected)
    assert min(free, busy) > 50, "days on which nearly all or nearly none are free prove little"


async def test_a_booking_that_takes_the_last_slot_hides_the_doctor_at_once(doctors: DoctorClinic) -> None:
    doctor = a_doctor()
    await seed(doctors.database, [doctor], [a_rule(doctor, 1)])
    for number in range(4):
        assert await search(doctors, available_on=from_date(MONDAY)) == [doctor.doctor_id]
        start = datetime(2026, 3, 2, 9, tzinfo=UTC) + number * timedelta(minutes=40)
        revision = doctors.feed.write(change_of(a_visit(doctor.doctor_id, start)))
        await copied(doctors, doctor, revision)
    assert await search(doctors, available_on=from_date(MONDAY)) == []


async def test_a_page_of_a_clinic_that_is_booked_out_ends_and_goes_on(
    doctors: DoctorClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_doctors, "_AT_ONCE", 3)
    monkeypatch.setattr(search_doctors, "_MOST_ROUNDS", 2)
    clinic = sorted((a_doctor() for _ in range(20)), key=lambda doctor: doctor.doctor_id, reverse=True)
    nine = datetime(2026, 3, 2, 9, tzinfo=UTC)
    await seed(doctors.database, clinic, [a_rule(doctor, 1) for doctor in clinic])
    taken = [a_visit(doctor.doctor_id, nine, occupied_until=nine + timedelta(hours=4)) for doctor in clinic[:15]]
    revision = doctors.feed.write(*map(change_of, taken))
    await copied(doctors, clinic[0], revision)
    first = await call(
        doctors, "SearchDoctors", search_pb2.SearchDoctorsRequest(available_on=from_date(MONDAY), page_size=2)
    )
    assert (len(first.doctors), bool(first.next_page_token)) == (0, True)
    found = await search(doctors, available_on=from_date(MONDAY), page_size=2)
    assert found == [doctor.doctor_id for doctor in clinic[15:]]


@pytest.mark.parametrize("ahead", [-2, 92])
async def test_a_day_that_nobody_can_book_is_looked_up_nowhere(doctors: DoctorClinic, spans: Spans, ahead: int) -> None:
    doctor = a_doctor()
    await seed(doctors.database, [doctor], [a_rule(doctor, number) for number in range(7)])
    assert await search(doctors, available_on=from_date(MARCH + timedelta(days=ahead))) == []
    assert not spans.named("search_doctors")
    assert await search(doctors, available_on=from_date(MARCH + timedelta(days=90))) == [doctor.doctor_id]
    assert [len(spans.named(name)) for name in ("search_doctors", "get_visits")] == [1, 1]


async def test_a_kind_without_a_day_is_refused(doctors: DoctorClinic) -> None:
    request = search_pb2.SearchDoctorsRequest(appointment_type=kind_number(AppointmentType.FOLLOW_UP))
    assert fields_of(await refusal(call(doctors, "SearchDoctors", request))) == ["appointment_type"]
