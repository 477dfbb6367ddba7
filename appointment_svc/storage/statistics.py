"""The figures of visits and of attempts to book, computed by PostgreSQL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from pathlib import Path
from typing import Any

from appointment_svc.app.ports import ListFilter
from appointment_svc.domain.statistics import BookingAnalytics, BookingFigures, SpecialtySuccess, VisitStats
from appointment_svc.storage.filters import conditions_of, where
from chassis.db import Database, Session
from chassis.sql import Queries
from kernel.appointment_types import AppointmentType

_QUERIES = Queries(Path(__file__).with_name("statistics.sql"))
_COUNTS = [field.name for field in fields(BookingFigures) if field.type is int]
_RATES = [field.name for field in fields(BookingFigures) if field.type is float]


@dataclass(frozen=True, slots=True)
class PostgresStatistics:
    """Implements app.get_stats.Statistics and app.get_booking_analytics.AttemptStatistics."""

    database: Database | Session

    async def visits(self, wanted: ListFilter) -> VisitStats:
        """See the port."""
        conditions, values = conditions_of(wanted)
        row = await self.database.one(where(_QUERIES["visit_stats"], conditions), values)
        assert row is not None, "an aggregate answers one row"  # noqa: S101 - for the type checker
        by_kind = {AppointmentType(kind): count for kind, count in row.pop("by_kind").items()}
        return VisitStats(**row, by_kind=by_kind)

    async def attempts(self, days: Sequence[date], midnights: Sequence[datetime]) -> BookingAnalytics:
        """See the port."""
        row = await self.database.one(_QUERIES["attempt_stats"], {"midnights": list(midnights)})
        assert row is not None, "a query of sub-queries answers one row"  # noqa: S101 - for the type checker
        failures: dict[int | None, dict[str, int]] = {}
        for failure in row["failures"]:
            failures.setdefault(failure["day"], {})[failure["reason"]] = failure["count"]
        # A day is its place among the days, from 1; the total has none.
        figures = {f["day"]: _figures(f, failures.get(f["day"], {})) for f in row["figures"]}
        return BookingAnalytics(
            days=[(day, figures.get(place, _NOTHING)) for place, day in enumerate(days, start=1)],
            total=figures[None],
            specialties=[SpecialtySuccess(**specialty) for specialty in row["specialties"]],
        )


def _figures(row: Mapping[str, Any], failures: Mapping[str, int]) -> BookingFigures:
    counts: dict[str, int] = {name: row[name] for name in _COUNTS}
    rates: dict[str, float] = {name: float(row[name]) for name in _RATES}
    return BookingFigures(**counts, **rates, failures=failures)  # type: ignore[arg-type]  # the names say which is which


_NOTHING = _figures(dict.fromkeys([*_COUNTS, *_RATES], 0), {})
