"""The rating of a doctor: each patient's word counts once, whatever the feed repeats, reorders or tells late."""

import asyncio
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from chassis.db import Database
from chassis.sql import Query
from doctor_svc.domain.doctor import Doctor
from doctor_svc.domain.matching import DoctorProfile, weighed_rating
from doctor_svc.domain.search import SearchWish
from doctor_svc.domain.visits import Visit, newest_of
from doctor_svc.storage.doctors import StoredDoctors
from doctor_svc.storage.search import StoredSearch
from doctor_svc.storage.visits import StoredVisits
from kernel.appointment_status import AppointmentStatus
from tests.fix_doctors import a_doctor, a_visit, seed

NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DEADLOCKS = Query("deadlocks", "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
WEIGHED = Query("weighed", "SELECT weighed_rating FROM doctor WHERE doctor_id = %(doctor_id)s")


def completed(doctor: Doctor, **other: Any) -> Visit:
    fields = {"status": AppointmentStatus.COMPLETED, "version": 3} | other
    return a_visit(doctor.doctor_id, NINE, **fields)


def rated(visit: Visit, rating: int) -> Visit:
    return replace(visit, rating=rating, version=visit.version + 1)


async def rating_of(database: Database, doctor: Doctor) -> tuple[float, int]:
    found = await StoredDoctors(database).get(doctor.doctor_id)
    assert found is not None
    return found.rating, found.rating_count


async def test_ratings_are_added_to_those_that_a_doctor_came_with(doctor_db: Database) -> None:
    copy, known, new = StoredVisits(doctor_db), a_doctor(rating=4.5, rating_count=4), a_doctor()
    await seed(doctor_db, [known, new], [])
    await copy.keep([rated(completed(known), 2)], 1)
    assert await rating_of(doctor_db, known) == (4.0, 5)
    assert await rating_of(doctor_db, new) == (0.0, 0)
    await copy.keep([rated(completed(new), 5)], 2)
    assert await rating_of(doctor_db, new) == (5.0, 1)


async def test_a_change_told_again_late_or_in_another_order_changes_nothing(doctor_db: Database) -> None:
    copy, doctor = StoredVisits(doctor_db), a_doctor()
    await seed(doctor_db, [doctor], [])
    first = completed(doctor)
    second = rated(first, 4)
    for change in (second, first, second, replace(second, version=5), second, first):
        await copy.keep([change], 1)
        assert await rating_of(doctor_db, doctor) == (4.0, 1)


async def test_a_rating_that_is_changed_or_taken_back_counts_as_it_is_now(doctor_db: Database) -> None:
    copy, doctor = StoredVisits(doctor_db), a_doctor()
    await seed(doctor_db, [doctor], [])
    visit = rated(completed(doctor), 2)
    await copy.keep([visit], 1)
    await copy.keep([rated(visit, 5)], 2)
    assert await rating_of(doctor_db, doctor) == (5.0, 1)
    await copy.keep([replace(visit, version=9, rating=None)], 3)
    assert await rating_of(doctor_db, doctor) == (0.0, 0)


@pytest.mark.parametrize("seed_of_case", range(3))
async def test_replicas_that_apply_in_any_order_end_with_the_exact_mean(doctor_db: Database, seed_of_case: int) -> None:
    chance = random.Random(seed_of_case)  # noqa: S311 - makes cases, guards nothing
    doctors = [a_doctor() for _ in range(5)]
    await seed(doctor_db, doctors, [])
    owners = [chance.choice(doctors) for _ in range(60)]
    visits = [completed(owner) for owner in owners]
    given = [chance.randrange(1, 6) if chance.random() < 0.8 else None for _ in visits]
    history = [*visits, *(rated(visit, stars) for visit, stars in zip(visits, given, strict=True) if stars)]
    copy = StoredVisits(doctor_db)

    async def replica() -> None:
        order = [*chance.sample(history, len(history)), *chance.sample(history, len(history))]
        for begin in range(0, len(order), 7):
            await copy.keep(newest_of(order[begin : begin + 7]), begin)

    await asyncio.gather(*(replica() for _ in range(6)))
    for doctor in doctors:
        mine = [stars for owner, stars in zip(owners, given, strict=True) if owner is doctor and stars]
        expected = (sum(mine) / len(mine), len(mine)) if mine else (0.0, 0)
        assert await rating_of(doctor_db, doctor) == expected
        profile = DoctorProfile(doctor.doctor_id, "", "", "", (), "UTC", *expected, 0)
        assert await doctor_db.one(WEIGHED, {"doctor_id": doctor.doctor_id}) == {
            "weighed_rating": pytest.approx(weighed_rating(profile), abs=1e-12)
        }
    assert await doctor_db.one(DEADLOCKS) == {"deadlocks": 0}


async def test_ratings_and_changes_of_a_profile_at_once_lose_nothing(doctor_db: Database) -> None:
    copy, doctor = StoredVisits(doctor_db), a_doctor()
    await seed(doctor_db, [doctor], [])
    rename = Query(
        "rename", "UPDATE doctor SET bio = bio || 'x', version = version + 1 WHERE doctor_id = %(doctor_id)s"
    )

    async def profile() -> None:
        for _ in range(40):
            await doctor_db.execute(rename, {"doctor_id": doctor.doctor_id})

    async def ratings() -> None:
        for number in range(40):
            await copy.keep([rated(completed(doctor), 1 + number % 5)], number)

    await asyncio.gather(profile(), ratings())
    found = await StoredDoctors(doctor_db).get(doctor.doctor_id)
    assert found is not None
    assert (found.rating, found.rating_count, len(found.profile.bio), found.version) == (3.0, 40, 40, 41)


async def test_a_rating_of_a_doctor_who_is_not_here_is_kept_with_the_visit(doctor_db: Database) -> None:
    await StoredVisits(doctor_db).keep([rated(completed(a_doctor()), 3)], 1)
    assert await doctor_db.one(Query("kept", "SELECT rating FROM visit")) == {"rating": 3}


async def test_the_order_of_a_search_follows_at_once(doctor_db: Database) -> None:
    good, better = a_doctor(first_name="Good", rating=4.2, rating_count=50), a_doctor(first_name="Better")
    await seed(doctor_db, [good, better], [])

    async def names() -> list[str]:
        return [hit.doctor.profile.first_name for hit in await StoredSearch(doctor_db).page(SearchWish(), None, 9)]

    assert await names() == ["Good", "Better"]
    visits = [rated(a_visit(better.doctor_id, NINE + timedelta(days=day)), 5) for day in range(6)]
    await StoredVisits(doctor_db).keep(newest_of(visits), 1)
    assert await names() == ["Better", "Good"]


async def test_no_other_number_is_a_rating(doctor_db: Database) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        await StoredVisits(doctor_db).keep([rated(completed(a_doctor()), 6)], 1)
