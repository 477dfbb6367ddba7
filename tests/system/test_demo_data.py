"""The demo clinic: as rich as promised, the same everywhere, and true to its own hours and ledger."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import combinations, pairwise
from random import Random
from uuid import uuid4

import pytest

from appointment_svc.app.ports import ListFilter
from appointment_svc.domain.appointment import Appointment
from appointment_svc.storage.appointments import PostgresAppointments
from appointment_svc.storage.holds import PostgresHolds
from chassis.db import Database
from chassis.signals import Signal
from chassis.sql import Query
from doctor_svc.domain import doctor as profiles
from doctor_svc.domain import rule_checks
from doctor_svc.domain.availability import AvailabilityRule, rules_overlap
from doctor_svc.domain.slots import Agenda, Visit, day_slots, exact_slot
from doctor_svc.domain.window import BookingPolicy, Window
from doctor_svc.storage.doctors import import_doctors, import_rules
from doctor_svc.storage.schedules import StoredSchedules
from kernel.appointment_status import AppointmentStatus
from kernel.appointment_types import AppointmentType
from kernel.civil_time import day_of
from stack.demo_data import seed
from stack.demo_diary import Diary
from stack.demo_doctors import CARDIOLOGIST, ON_CALL, DemoDoctor, roster
from stack.demo_patients import FIRST_PATIENT, PATIENTS, patient_id, patients
from stack.demo_visits import OPEN_VISIT, UPCOMING, open_slot, visits_of

NOW = datetime(2026, 3, 1, tzinfo=UTC)
MOMENTS = [
    NOW,
    datetime(2026, 3, 8, 6, 59, 59, tzinfo=UTC),  # a minute before New York's clocks skip an hour
    datetime(2026, 11, 1, 5, 30, tzinfo=UTC),  # in the hour that New York's clocks repeat
    datetime(2026, 12, 31, 23, 50, tzinfo=UTC),
    datetime(2027, 2, 28, 23, 51, 0, 1, tzinfo=UTC),
    datetime(2028, 2, 29, 12, 34, 56, tzinfo=UTC),
]
LEDGER = Query(
    "ledger",
    """SELECT (SELECT count(*) FROM appointment) AS appointments, (SELECT count(*) FROM event) AS events,
              (SELECT count(*) FROM event_pending) AS pending,
              (SELECT count(*) FROM appointment WHERE status = 'CONFIRMED') AS confirmed,
              (SELECT count(*) FROM doctor_claim JOIN patient_claim USING (appointment_id)
                                    JOIN appointment USING (appointment_id) WHERE status = 'CONFIRMED') AS claimed""",
)
DOCTORS = Query("doctors", "SELECT count(*) AS doctors, count(*) FILTER (WHERE is_verified) AS verified FROM doctor")


@lru_cache
def planned(now: datetime) -> list[Appointment]:
    return sorted((visit.appointment for visit in visits_of(roster(now), now)), key=lambda visit: visit.start)


def lies_in_hours(visit: Appointment, doctor: DemoDoctor, rules: Sequence[AvailabilityRule]) -> bool:
    """Whether the generator offers just that time, or takes it as an exact one where it is the open visit."""
    policy = BookingPolicy(notice=timedelta(), horizon_days=1)
    agenda = Agenda.at(visit.start, doctor.zone, rules, (), policy)
    if visit.id == OPEN_VISIT:
        slot = exact_slot(agenda, Visit(visit.kind), visit.start)
        return slot is not None and (slot.end, slot.buffer) == (visit.end, visit.buffer)
    offered = day_slots(agenda, Visit(visit.kind), day_of(visit.start, doctor.zone)).free(
        Window(visit.start, visit.start)
    )
    return [(slot.start, slot.end, slot.buffer) for slot in offered] == [(visit.start, visit.end, visit.buffer)]


def test_the_doctors_are_as_many_and_as_different_as_promised():
    staff = roster(NOW)
    profile_of = {doctor.id: doctor.doctor.profile for doctor in staff}
    assert len(profile_of) == len(staff) >= 40
    assert len({doctor.name for doctor in staff}) == len({doctor.private.email for doctor in staff}) == len(staff)
    verified = [doctor for doctor in staff if doctor.doctor.is_verified]
    assert len(verified) == len(staff) - 2
    assert len({profile_of[doctor.id].specialty for doctor in verified}) >= 12
    assert len({profile.timezone for profile in profile_of.values()}) >= 8
    assert len({language for profile in profile_of.values() for language in profile.languages}) >= 15
    assert len({doctor.doctor.rating for doctor in staff}) >= 8
    assert sum(doctor.doctor.rating_count > 0 for doctor in verified) == len(verified) - 1  # and one new doctor
    licences = [profile_of[doctor.id].license_jurisdictions for doctor in staff]
    assert all(places and all(map(profiles.is_jurisdiction, places)) for places in licences)
    assert len({place.partition("-")[0] for places in licences for place in places}) >= 10
    assert sum(profile_of[doctor.id].specialty == "Cardiology" for doctor in verified) >= 4


def test_every_doctor_has_general_hours_and_some_have_others():
    staff = roster(NOW)
    kinds = {doctor.id: {rule.kind for rule in doctor.rules} for doctor in staff}
    assert all(AppointmentType.GENERAL_CONSULTATION in served for served in kinds.values())
    assert set().union(*kinds.values()) >= {
        AppointmentType.FOLLOW_UP,
        AppointmentType.SPECIALTY_CONSULTATION,
        AppointmentType.MENTAL_HEALTH,
        AppointmentType.GROUP_SESSION,
        AppointmentType.PRESCRIPTION_RENEWAL,
        AppointmentType.EMERGENCY,
    }
    rules = [rule for doctor in staff for rule in doctor.rules]
    assert {rule.capacity for rule in rules if rule.kind is AppointmentType.GROUP_SESSION} == {6}
    assert sum(rule.specific_date is not None for rule in rules) >= 3
    general = [rule for rule in rules if rule.kind is AppointmentType.GENERAL_CONSULTATION]
    assert len({(rule.morning, rule.afternoon) for rule in general}) >= 8
    assert {rule.day_of_week for rule in general} >= set(range(7))


@pytest.mark.parametrize("now", MOMENTS, ids=str)
def test_the_doctor_service_would_accept_every_profile_and_every_rule(now: datetime):
    for doctor in roster(now):
        profiles.require_valid(doctor.doctor.profile, doctor.private, now.date())
        for rule in doctor.rules:
            rule_checks.require_valid(rule)
        assert not any(rules_overlap(one, other) for one, other in combinations(doctor.rules, 2))
        opening_day = day_of(now, doctor.zone)
        dates = [rule.specific_date for rule in doctor.rules if rule.specific_date]
        assert all(opening_day < date <= opening_day + timedelta(days=7) for date in dates)


def test_the_same_moment_gives_the_same_clinic_and_another_one_the_same_ids():
    assert roster(NOW) == roster(NOW)
    assert visits_of(roster(NOW), NOW) == visits_of(roster(NOW), NOW)
    assert [doctor.id for doctor in roster(MOMENTS[3])] == [doctor.id for doctor in roster(NOW)]
    # Written out, because documents and bookmarks may name them.
    assert FIRST_PATIENT == "bde3a8a0-983d-5d16-86a6-92605080a8ee"
    assert CARDIOLOGIST == "8e352544-e0bf-5e44-8c99-d0c6f3867241"


@pytest.mark.parametrize("now", MOMENTS, ids=str)
def test_every_visit_lies_in_the_hours_of_a_verified_doctor(now: datetime):
    staff = {doctor.id: doctor for doctor in roster(now)}
    visits = planned(now)
    assert len({visit.id for visit in visits}) == len(visits)
    for visit in visits:
        doctor = staff[visit.doctor_id]
        assert doctor.doctor.is_verified
        assert lies_in_hours(visit, doctor, doctor.rules)


@pytest.mark.parametrize("now", MOMENTS, ids=str)
def test_past_visits_are_over_and_coming_ones_are_confirmed(now: datetime):
    visits = planned(now)
    coming = [visit for visit in visits if visit.status is AppointmentStatus.CONFIRMED]
    assert len(coming) == UPCOMING + 1
    assert all(now <= visit.start <= now + timedelta(days=10) for visit in coming)
    past = [visit for visit in visits if visit.status is not AppointmentStatus.CONFIRMED]
    assert all(now - timedelta(days=366) < visit.start < visit.end < now for visit in past)
    assert {visit.status for visit in past} == {
        AppointmentStatus.COMPLETED,
        AppointmentStatus.CANCELLED,
        AppointmentStatus.NO_SHOW,
    }
    assert all(visit.create_time <= visit.update_time <= now for visit in visits)
    assert all(visit.create_time < visit.start for visit in visits)


def test_patients_have_up_to_eight_completed_visits_and_keep_to_their_doctors():
    staff = roster(NOW)
    rng = Random(1)  # noqa: S311 - any repeatable choice will do
    own = {patient.id: {doctor.id for doctor in patient.doctors} for patient in patients(staff, rng)}
    assert list(own) == [patient_id(number) for number in range(1, PATIENTS + 1)]
    assert {len(doctors) for doctors in own.values()} == {1, 2, 3}
    completed = [visit for visit in planned(NOW) if visit.status is AppointmentStatus.COMPLETED]
    counts = Counter(visit.patient_id for visit in completed)
    assert set(counts.values()) == set(range(1, 9))
    assert 0 < PATIENTS - len(counts) < PATIENTS // 10
    together = Counter((visit.patient_id, visit.doctor_id) for visit in completed)
    assert max(Counter(patient for patient, _ in together).values()) == 3
    assert sum(visits >= 3 for visits in together.values()) >= 20


def test_a_visit_with_a_doctor_seen_before_says_so_and_matched_better():
    seen: set[tuple[str, str]] = set()
    for visit in planned(NOW):
        pair = (visit.patient_id, visit.doctor_id)
        assert visit.is_preferred_doctor == (pair in seen)
        assert (visit.match_score >= 0.5) == (pair in seen)
        if visit.status is AppointmentStatus.COMPLETED:
            seen.add(pair)


def test_nobody_is_in_two_places_at_once_even_in_the_past():
    kept = [visit for visit in planned(NOW) if visit.status is not AppointmentStatus.CANCELLED]
    for number in range(1, PATIENTS + 1):
        own = sorted((visit.start, visit.end) for visit in kept if visit.patient_id == patient_id(number))
        assert all(end <= start for (_, end), (start, _) in pairwise(own))
    for doctor in roster(NOW):
        of_doctor = sorted((v.start, v.end + v.buffer, v.kind) for v in kept if v.doctor_id == doctor.id)
        alone = [(start, end) for start, end, kind in of_doctor if kind is not AppointmentType.GROUP_SESSION]
        assert all(end <= start for (_, end), (start, _) in pairwise(alone))


@pytest.mark.parametrize("now", MOMENTS, ids=str)
def test_the_first_patient_has_three_visits_with_one_cardiologist_the_newest_of_all_and_nothing_booked(now: datetime):
    own = [visit for visit in planned(now) if visit.patient_id == FIRST_PATIENT]
    assert [(visit.status, visit.doctor_id) for visit in own] == [(AppointmentStatus.COMPLETED, CARDIOLOGIST)] * 3
    assert {visit.specialty_required for visit in own} == {"cardiology"}
    assert [visit for visit in planned(now) if visit.status is AppointmentStatus.COMPLETED][-1] == own[-1]


def test_the_open_visit_can_be_joined_at_once_whatever_the_time_of_day():
    doctor = next(doctor for doctor in roster(NOW) if doctor.id == ON_CALL)
    diary = Diary(doctor, NOW, past=timedelta(days=1), ahead=timedelta(days=3))
    for second in range(0, 24 * 3600, 31):
        now = NOW + timedelta(seconds=second)
        slot = open_slot(diary, now)
        assert slot.start - timedelta(minutes=10) <= now <= slot.start
        assert (slot.start - NOW) % timedelta(minutes=5) == timedelta()


def appointments_of(ledger: Database) -> PostgresAppointments:
    return PostgresAppointments(ledger, Signal(), PostgresHolds(ledger, Signal(), lambda: NOW))


async def test_seeding_stores_the_doctors_and_all_visits_with_a_claim_for_each_that_is_to_come(
    doctor_db_url: str, appointment_db_url: str
):
    summary = await seed({"doctor": doctor_db_url, "appointment": appointment_db_url}, NOW)
    assert summary is not None
    visits = planned(NOW)
    coming = sum(visit.status is AppointmentStatus.CONFIRMED for visit in visits)
    async with opened(appointment_db_url) as ledger:
        assert await ledger.one(LEDGER) == {
            "appointments": len(visits),
            "events": len(visits),
            "pending": len(visits),
            "confirmed": coming,
            "claimed": coming,
        }
        assert await appointments_of(ledger).get(visits[0].id) == visits[0]
        open_visit = await appointments_of(ledger).get(summary.open_visit_id)
    assert open_visit is not None
    assert (open_visit.patient_id, open_visit.doctor_id, open_visit.start) == (
        summary.open_visit_patient_id,
        summary.open_visit_doctor_id,
        summary.open_visit_start,
    )
    assert (summary.first_patient_id, summary.cardiologist_id) == (FIRST_PATIENT, CARDIOLOGIST)
    assert (summary.cardiologist_name, summary.cardiologist_timezone) == ("Helena Castellanos", "America/New_York")
    assert (summary.doctors, summary.patients, summary.added_visits) == (44, 200, len(visits))
    async with opened(doctor_db_url) as doctors:
        assert await doctors.one(DOCTORS) == {"doctors": 44, "verified": 42}


async def test_a_second_seed_changes_nothing_even_on_another_day(doctor_db_url: str, appointment_db_url: str):
    urls = {"doctor": doctor_db_url, "appointment": appointment_db_url}
    first = await seed(urls, NOW)
    again = await seed(urls, NOW + timedelta(days=3))
    assert first is not None
    assert again == replace(first, added_visits=0)
    async with opened(appointment_db_url) as ledger:
        row = await ledger.one(LEDGER)
        assert row is not None
        assert row["appointments"] == first.added_visits


async def test_a_clinic_left_half_made_is_finished_by_the_hours_that_it_has(
    doctor_db_url: str, appointment_db_url: str
):
    staff = roster(NOW)
    async with opened(doctor_db_url) as doctors:
        async with doctors.transaction() as session:
            await import_doctors(session, [(doctor.doctor, doctor.private) for doctor in staff])
            await import_rules(session, [rule for doctor in staff for rule in doctor.rules], NOW)
        later = NOW + timedelta(days=2)
        summary = await seed({"doctor": doctor_db_url, "appointment": appointment_db_url}, later)
        assert summary is not None
        assert summary.added_visits > 0
        assert await doctors.one(DOCTORS) == {"doctors": 44, "verified": 42}
        rules = {doctor.id: await stored_rules(doctors, doctor) for doctor in staff}
    by_id = {doctor.id: doctor for doctor in staff}
    async with opened(appointment_db_url) as ledger:
        everything = await appointments_of(ledger).page(ListFilter(), None, 2_000)
    assert len(everything) == summary.added_visits
    assert all(lies_in_hours(visit, by_id[visit.doctor_id], rules[visit.doctor_id]) for visit in everything)


async def test_a_clinic_with_doctors_of_its_own_is_left_alone(doctor_db_url: str, appointment_db_url: str):
    stranger = replace(roster(NOW)[0].doctor, doctor_id=str(uuid4()))
    async with opened(doctor_db_url) as doctors:
        async with doctors.transaction() as session:
            await import_doctors(session, [(stranger, roster(NOW)[0].private)])
        assert await seed({"doctor": doctor_db_url, "appointment": appointment_db_url}, NOW) is None
        assert await doctors.one(DOCTORS) == {"doctors": 1, "verified": 1}
    async with opened(appointment_db_url) as ledger:
        row = await ledger.one(LEDGER)
    assert row is not None
    assert set(row.values()) == {0}


async def stored_rules(doctors: Database, doctor: DemoDoctor) -> tuple[AvailabilityRule, ...]:
    stretch = Window(NOW, NOW + timedelta(days=1))
    schedule = await StoredSchedules(doctors).of_doctor(doctor.id, None, stretch, datetime.now(UTC))
    assert schedule is not None
    return schedule.rules


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    database = Database(url, size=2)
    await database.open()
    try:
        yield database
    finally:
        await database.close()
