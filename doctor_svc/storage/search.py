"""Search in PostgreSQL: one statement a page, put together from the parts of search.sql that the wish needs."""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from chassis.db import Database
from chassis.sql import Query
from doctor_svc.domain.matching import PRIOR_RATING
from doctor_svc.domain.search import Hit, Order, Position, SearchWish
from doctor_svc.storage.profiles import doctor_of
from doctor_svc.storage.sql import SEARCH

_RELEVANCE = "relevance"
_KEYS: dict[Order, tuple[str, ...]] = {
    Order.RELEVANCE: (_RELEVANCE, "d.weighed_rating"),
    Order.RATING: ("d.weighed_rating",),
    Order.EXPERIENCE: ("d.years_experience", "d.weighed_rating"),
    Order.NAME: ("lower(d.last_name)", "lower(d.first_name)"),
}
_TYPES = {
    "lower(d.last_name)": "text",
    "lower(d.first_name)": "text",
    "d.years_experience": "int",
    "d.weighed_rating": "float8",
    _RELEVANCE: "float8",
}


class StoredSearch:
    """app.ports.DoctorSearch."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, wish: SearchWish, after: Position | None, limit: int) -> list[Hit]:
        """The found after a position, in order."""
        query = statement(wish.order, conditions_of(wish), is_worded=bool(wish.query), goes_on=after is not None)
        rows = await self._database.all(query, params_of(wish, after, limit))
        names = [f"key_{index}" for index in range(len(_KEYS[wish.order]))]
        return [Hit(doctor_of(row), Position(tuple(row[name] for name in names), row["doctor_id"])) for row in rows]


def conditions_of(wish: SearchWish) -> tuple[str, ...]:
    """The names of the parts of search.sql that a wish calls for."""
    asked = (
        (wish.is_public, "is_public"),
        (not wish.is_public, "has_state"),
        (wish.specialty != "", "has_specialty"),
        (wish.language != "", "speaks"),
        (bool(wish.jurisdictions), "is_licensed"),
        (wish.min_rating > 0, "is_rated"),
        (wish.min_years_experience > 0, "is_experienced"),
        (wish.available_on is not None, "has_hours"),
    )
    return tuple(name for is_asked, name in asked if is_asked)


def params_of(wish: SearchWish, after: Position | None, limit: int) -> dict[str, object]:
    """The parameters of every part."""
    keys = enumerate(after.keys) if after else ()
    return {
        "query": wish.query,
        "specialty_keys": [wish.specialty],
        "language_keys": [wish.language],
        "jurisdictions": list(wish.jurisdictions),
        "min_rating": wish.min_rating,
        "prior_rating": PRIOR_RATING,
        "min_years_experience": wish.min_years_experience,
        "verified": wish.verified,
        "active": wish.active,
        "day": wish.available_on,
        "most": limit,
        "after_id": after.doctor_id if after else None,
        **{f"after_{index}": key for index, key in keys},
    }


@lru_cache(maxsize=512)
def statement(order: Order, conditions: tuple[str, ...], *, is_worded: bool, goes_on: bool) -> Query:
    """The statement of one kind of wish."""
    keys = _KEYS[order]
    named = [f"key_{index}" for index in range(len(keys))]
    where = "\n  AND ".join(SEARCH[name].text for name in conditions)
    direction = "ASC" if order is Order.NAME else "DESC"
    # What is ordered by has a name of its own only where a query in between has given it one.
    ordered = [f"d.{name}" for name in named] if is_worded else list(keys)
    parts = {
        "columns": SEARCH["columns"].text,
        "keys": _named(keys),
        "exact_keys": _named(SEARCH["exact_relevance"].text if key == _RELEVANCE else key for key in keys),
        "alike_keys": _named(SEARCH["alike_relevance"].text if key == _RELEVANCE else key for key in keys),
        "page_keys": ", ".join(f"page.{name}" for name in named),
        "conditions": where,
        "after": _beyond(ordered, keys, order) if goes_on else "",
        "inner_after": _beyond(keys, keys, order) if goes_on else "",
        "order": _ordered([*ordered, "d.doctor_id"], direction),
        "inner_order": _ordered([*keys, "d.doctor_id"], direction),
        "page_order": _ordered([*(f"page.{name}" for name in named), "page.doctor_id"], direction),
    }
    parts["exact"] = SEARCH["ranked" if _RELEVANCE in keys else "in_order"].text.format_map(parts)
    return Query("search_doctors", SEARCH["searched" if is_worded else "listed"].text.format_map(parts))


def _beyond(names: Sequence[str], keys: Sequence[str], order: Order) -> str:
    """The condition that a row comes after the position where the page before ended."""
    position = ", ".join(f"%(after_{index})s::{_TYPES[key]}" for index, key in enumerate(keys))
    sign = ">" if order is Order.NAME else "<"
    return f"\n  AND ({', '.join(names)}, d.doctor_id) {sign} ({position}, %(after_id)s::uuid)"


def _named(keys: Iterable[str]) -> str:
    return ", ".join(f"{key} AS key_{index}" for index, key in enumerate(keys))


def _ordered(columns: Iterable[str], direction: str) -> str:
    return ", ".join(f"{column} {direction}" for column in columns)
