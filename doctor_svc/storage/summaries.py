"""Summaries of the next days in PostgreSQL: the view that is read, and the days that it is made from."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from chassis.db import Database, Session
from chassis.exclusive import exclusively
from doctor_svc.app.count_offers import Overview
from doctor_svc.domain.specialties import specialty_key
from doctor_svc.domain.summary import DaySummary, DoctorSummary, Position, Totals
from doctor_svc.storage.rows import Row
from doctor_svc.storage.sql import SUMMARIES

_NAME = "refresh doctor_availability_summary"
_NEVER = "infinity"
_MINUTE = timedelta(minutes=1)


class StoredSummaries:
    """app.ports.Summaries."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, specialty: str, after: Position | None, limit: int
    ) -> tuple[list[DoctorSummary], datetime | None]:
        """Some doctors by next free time, and when the view was refreshed."""
        key = specialty_key(specialty)
        params = {
            "specialty_keys": [key] if key else [],
            "after_time": (after.next_free or _NEVER) if after else None,
            "after_id": after.doctor_id if after else None,
            "most": limit,
        }
        rows = await self._database.all(SUMMARIES["page_summaries"], params)
        return [_summary_of(row) for row in rows if row["doctor_id"] is not None], rows[0]["refresh_time"]

    async def overview(self) -> Overview:
        """All doctors together: app.count_offers.Overviews."""
        row = await self._database.one(SUMMARIES["count_offers"])
        assert row is not None, "an aggregate answers one row"  # noqa: S101 - for the type checker
        return Overview(row["doctors"], *_both_totals(row), row["refresh_time"])


class StoredRefreshes:
    """app.ports.SummaryRefreshes."""

    def __init__(self, url: str) -> None:
        self._url = url

    @asynccontextmanager
    async def turn(self) -> AsyncIterator["StoredRefresh | None"]:
        """The right to refresh, or None."""
        async with exclusively(self._url, _NAME) as session:
            yield StoredRefresh(session) if session else None


class StoredRefresh:
    """app.ports.SummaryRefresh, on the connection that holds the right."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def last(self) -> datetime | None:
        """When the view was last refreshed."""
        row = await self._session.one(SUMMARIES["last_refresh"])
        return row["refresh_time"] if row else None

    async def public_doctors(self, after: str | None, limit: int) -> list[str]:
        """Some ids."""
        rows = await self._session.all(SUMMARIES["page_public_doctors"], {"after": after, "most": limit})
        return [row["doctor_id"] for row in rows]

    async def put(self, days: Sequence[tuple[str, DaySummary]], now: datetime) -> None:
        """Keeps days in one statement."""
        params = {
            "now": now,
            "doctor_ids": [doctor_id for doctor_id, _ in days],
            "ahead": [day.ahead for _, day in days],
            "days": [day.day for _, day in days],
            "offered_minutes": [day.offered // _MINUTE for _, day in days],
            "booked_minutes": [day.booked // _MINUTE for _, day in days],
            "free_slots": [day.free_slots for _, day in days],
            "first_free_times": [day.first_free for _, day in days],
        }
        await self._session.execute(SUMMARIES["put_days"], params)

    async def finish(self, now: datetime) -> None:
        """Refreshes the view beside its readers.

        Each statement commits by itself. In one transaction they would hold the view's lock, which keeps another
        refresh out, and an old snapshot until its end.
        """
        await self._session.execute(SUMMARIES["drop_other_days"], {"now": now})
        await self._session.execute(SUMMARIES["refresh_summary"])
        await self._session.execute(SUMMARIES["note_refresh"], {"now": now})


def _both_totals(row: Row) -> tuple[Totals, Totals]:
    return (
        Totals(row["offered_minutes_7"], row["booked_minutes_7"], row["free_slots_7"]),
        Totals(row["offered_minutes_14"], row["booked_minutes_14"], row["free_slots_14"]),
    )


def _summary_of(row: Row) -> DoctorSummary:
    week, fortnight = _both_totals(row)
    return DoctorSummary(
        doctor_id=row["doctor_id"],
        first_name=row["first_name"],
        last_name=row["last_name"],
        specialty=row["specialty"],
        timezone=row["timezone"],
        week=week,
        fortnight=fortnight,
        next_free=row["next_free_time"],
    )
