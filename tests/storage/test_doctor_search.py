"""Search on PostgreSQL: words, words spelled otherwise, filters, pages that lose and repeat nobody, and the plans."""

import random
from dataclasses import replace
from datetime import date, time, timedelta
from typing import Any
from uuid import uuid4

import pytest

from chassis.db import Database
from chassis.sql import Query
from doctor_svc.domain.availability import WallBlock
from doctor_svc.domain.doctor import Doctor
from doctor_svc.domain.matching import PRIOR_COUNT, PRIOR_RATING
from doctor_svc.domain.overrides import ExtraHours, Override, OverrideKind
from doctor_svc.domain.search import Order, SearchWish
from doctor_svc.storage.hour_rows import override_row
from doctor_svc.storage.search import StoredSearch, conditions_of, params_of, statement
from doctor_svc.storage.sql import HOURS
from kernel.appointment_types import AppointmentType
from tests.fix_doctors import NOON, a_doctor, a_rule, seed

TUESDAY = date(2026, 3, 3)


async def found(database: Database, **wish: Any) -> list[str]:
    """The first names found, in order."""
    if wish.get("query"):
        wish.setdefault("order", Order.RELEVANCE)
    hits = await StoredSearch(database).page(SearchWish(**wish), None, 50)
    return [hit.doctor.profile.first_name for hit in hits]


@pytest.fixture
async def clinic(doctor_db: Database) -> Database:
    """Six public doctors who differ in everything, one unverified and one who is not active."""
    doctors = [
        a_doctor(first_name="James", last_name="Will", specialty="Cardiology", rating=4.9, rating_count=90),
        a_doctor(first_name="José", last_name="Núñez", specialty="Dermatology", languages=("pt-BR", "en")),
        a_doctor(first_name="Maria", last_name="Jensen", specialty="Neurology", bio="Treats headaches."),
        a_doctor(first_name="Olga", last_name="Heart", specialty="Pediatrics", years_experience=30),
        a_doctor(
            first_name="Wei",
            last_name="Li",
            specialty="Oncology",
            sub_specialties=("Cardiology",),
            rating=3.0,
            rating_count=50,
            license_jurisdictions=("US",),
            years_experience=12,
        ),
        a_doctor(first_name="Amir", last_name="Katz", specialty="Urology", license_jurisdictions=("US-NY", "GB")),
        a_doctor(first_name="Hidden", specialty="Cardiology", verified=False),
        a_doctor(first_name="Gone", specialty="Cardiology"),
    ]
    await seed(doctor_db, doctors, [])
    await doctor_db.execute(Query("leave", "UPDATE doctor SET is_active = false WHERE first_name = 'Gone'"))
    return doctor_db


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("james", ["James"]),
        ("WILL", ["James"]),
        ("James cardiology", ["James"]),
        ("cardiology", ["James", "Wei"]),
        ("jose nunez", ["José"]),
        ("JOSÉ", ["José"]),
        ("headache", ["Maria"]),
        ("jmaes", []),
        ("jame", ["James"]),
        ("cardilogy", ["James", "Wei"]),
        ("cardiologist", ["James", "Wei"]),
        ("dermatolgy", ["José"]),
        ("jensn", ["Maria"]),
        ("urolgy katz", ["Amir"]),
        ("xyzzy", []),
        ("%_'\"\\ :*&|!()<->", []),
    ],
)
async def test_doctors_are_found_by_words_and_by_words_much_like_them(
    clinic: Database, query: str, names: list[str]
) -> None:
    assert sorted(await found(clinic, query=query)) == names


async def test_a_name_weighs_more_than_a_specialty_and_that_more_than_a_bio(doctor_db: Database) -> None:
    doctors = [
        a_doctor(first_name="Bio", specialty="Urology", bio="Knows a little cardiology."),
        a_doctor(first_name="Sub", specialty="Urology", sub_specialties=("Cardiology",)),
        a_doctor(first_name="Name", last_name="Cardiology", specialty="Urology"),
        a_doctor(first_name="Main", specialty="Cardiology"),
    ]
    await seed(doctor_db, doctors, [])
    assert await found(doctor_db, query="cardiology") == ["Name", "Main", "Sub", "Bio"]


@pytest.mark.parametrize(
    ("wish", "names"),
    [
        ({"specialty": "cardiology"}, {"James", "Wei"}),
        ({"specialty": "cardio"}, set()),
        ({"language": "pt"}, {"José"}),
        ({"language": "pt-br"}, {"José"}),
        ({"language": "pt-pt"}, set()),
        ({"jurisdictions": ("US-NY", "US")}, {"Wei", "Amir"}),
        ({"jurisdictions": ("GB",)}, {"Amir"}),
        ({"min_rating": 4.5}, {"James"}),
        ({"min_rating": 4.0}, {"James", "José", "Maria", "Olga", "Amir"}),
        ({"min_years_experience": 12}, {"Olga", "Wei"}),
        ({"query": "cardiology", "min_rating": 4.0}, {"James"}),
        ({"query": "cardilogy", "jurisdictions": ("US",)}, {"Wei"}),
        ({"verified": False}, {"Hidden"}),
        ({"active": False}, {"Gone"}),
        ({"active": False, "verified": False}, set()),
    ],
)
async def test_a_doctor_must_meet_everything_that_is_asked(
    clinic: Database, wish: dict[str, Any], names: set[str]
) -> None:
    assert set(await found(clinic, **wish)) == names


async def test_orders_go_from_the_most_to_the_least_and_names_from_a_to_z(clinic: Database) -> None:
    assert (await found(clinic, order=Order.RATING))[::5] == ["James", "Wei"]
    assert (await found(clinic, order=Order.EXPERIENCE))[:3] == ["Olga", "Wei", "James"]
    assert await found(clinic, order=Order.NAME) == ["Olga", "Maria", "Amir", "Wei", "José", "James"]


async def test_the_rating_that_is_ordered_by_is_the_one_that_matching_uses(clinic: Database) -> None:
    row = await clinic.one(Query("rating", "SELECT weighed_rating FROM doctor WHERE first_name = 'James'"))
    assert row is not None
    assert row["weighed_rating"] == pytest.approx((4.9 * 90 + PRIOR_RATING * PRIOR_COUNT) / (90 + PRIOR_COUNT))


@pytest.mark.parametrize("order", Order)
@pytest.mark.parametrize("size", [1, 7])
async def test_pages_lose_nobody_and_repeat_nobody(doctor_db: Database, order: Order, size: int) -> None:
    chance = random.Random(7)  # noqa: S311 - makes data, guards nothing
    doctors: list[Doctor] = [
        a_doctor(
            first_name=chance.choice("AB"),
            last_name=chance.choice(("Stone", "stone", "Ångström")),
            years_experience=chance.randrange(3),
            rating=float(chance.randrange(3, 5)),
            rating_count=5,
        )
        for _ in range(40)
    ]
    await seed(doctor_db, doctors, [])
    wish = SearchWish(query="cardiology" if order is Order.RELEVANCE else "", order=order)
    search, after, seen = StoredSearch(doctor_db), None, []
    while page := await search.page(wish, after, size):
        seen += [hit.doctor.doctor_id for hit in page]
        after = page[-1].position
    assert len(seen) == 40
    assert set(seen) == {doctor.doctor_id for doctor in doctors}
    assert seen == [hit.doctor.doctor_id for hit in await search.page(wish, None, 100)]


async def test_who_has_hours_that_day_may_be_free(doctor_db: Database) -> None:
    names = ("Weekly", "Monday", "Dated", "Away", "Partly", "Extra", "Winning")
    rooms = {name: a_doctor(first_name=name) for name in names}
    rules = [a_rule(rooms[name], 2) for name in ("Weekly", "Away", "Partly", "Winning")]
    rules += [
        a_rule(rooms["Monday"], 1),
        a_rule(rooms["Dated"], 2, day_of_week=None, specific_date=TUESDAY, morning=WallBlock(time(9), time(9, 30))),
    ]
    await seed(doctor_db, list(rooms.values()), rules)
    lunch, evening = WallBlock(time(12), time(13)), WallBlock(time(18), time(20))
    minutes = timedelta(minutes=30)
    extra = ExtraHours(AppointmentType.GENERAL_CONSULTATION, minutes, timedelta(), 1, overrides_blocks=True)
    for name, window, more in (
        ("Away", None, None),
        ("Partly", lunch, None),
        ("Extra", evening, replace(extra, overrides_blocks=False)),
        ("Winning", None, None),
        ("Winning", evening, extra),
    ):
        kind = OverrideKind.EXTRA_HOURS if more else OverrideKind.VACATION
        override = Override(str(uuid4()), rooms[name].doctor_id, kind, TUESDAY, TUESDAY, window, more)
        await doctor_db.execute(HOURS["insert_override"], override_row(override, NOON))
    assert set(await found(doctor_db, available_on=TUESDAY)) == {"Weekly", "Dated", "Partly", "Extra", "Winning"}


ORDERED = ("doctor_by_rating", "doctor_by_experience", "doctor_by_name")


@pytest.fixture
async def large_clinic(doctor_db: Database) -> Database:
    """Two thousand doctors of five specialties."""
    specialties = ("Cardiology", "Dermatology", "Neurology", "Urology", "Oncology")
    doctors = [a_doctor(specialty=specialties[n % 5], first_name=f"N{n}") for n in range(2000)]
    await seed(doctor_db, doctors, [a_rule(doctor, 2) for doctor in doctors[:200]])
    await doctor_db.execute(Query("analyze", "ANALYZE"))
    return doctor_db


async def plan(database: Database, wish: SearchWish, without: tuple[str, ...] = ()) -> str:
    query = statement(wish.order, conditions_of(wish), is_worded=bool(wish.query), goes_on=False)
    async with database.transaction() as session:
        await session.execute(Query("no_seqscan", "SET LOCAL enable_seqscan = off"))
        for index in without:
            await session.execute(Query("drop", f"DROP INDEX {index}"))
        rows = await session.all(Query("explain", f"EXPLAIN {query.text}"), params_of(wish, None, 21))
    return "\n".join(row["QUERY PLAN"] for row in rows)


@pytest.mark.parametrize(
    ("wish", "indexes"),
    [
        (SearchWish(), {"doctor_by_rating"}),
        (SearchWish(order=Order.EXPERIENCE), {"doctor_by_experience"}),
        (SearchWish(order=Order.NAME), {"doctor_by_name"}),
        (SearchWish(available_on=TUESDAY), {"doctor_by_rating", "availability_rule_by_doctor"}),
    ],
)
async def test_every_order_has_its_index(large_clinic: Database, wish: SearchWish, indexes: set[str]) -> None:
    text = await plan(large_clinic, wish)
    assert "Seq Scan" not in text, text
    assert "Sort" not in text, text
    assert all(index in text for index in indexes), text


@pytest.mark.parametrize(
    ("wish", "indexes"),
    [
        (SearchWish(query="n7", order=Order.RELEVANCE), {"doctor_by_words", "doctor_by_spelling"}),
        (SearchWish(specialty="cardiology"), {"doctor_by_specialty"}),
        (SearchWish(specialty="cardiology", verified=False), {"doctor_by_attributes"}),
        (SearchWish(language="en"), {"doctor_by_attributes"}),
        (SearchWish(jurisdictions=("GB",)), {"doctor_by_attributes"}),
    ],
)
async def test_every_filter_has_its_index(large_clinic: Database, wish: SearchWish, indexes: set[str]) -> None:
    # Among few doctors it is cheaper to walk them in their order, so those indexes are taken away.
    text = await plan(large_clinic, wish, without=ORDERED)
    assert "Seq Scan" not in text, text
    assert all(index in text for index in indexes), text
