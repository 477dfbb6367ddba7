"""Arrivals are kept once, and decided on what is true at that moment."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import psycopg
import pytest

from chassis.db import Database
from chassis.sql import Query
from tests.domain.video.video_builders import APPOINTMENT, END, RULES, SESSION, START, visit
from video_svc.domain.errors import JoinTooEarly, SessionNotFound, WrongState
from video_svc.domain.joining import admit
from video_svc.domain.session import Arrival, Session
from video_svc.domain.visit import ParticipantType
from video_svc.storage.sessions import PostgresSessions
from video_svc.storage.sql import QUERIES
from video_svc.storage.visit_copies import PostgresVisitCopies

PATIENT, DOCTOR = ParticipantType.PATIENT, ParticipantType.DOCTOR


@pytest.fixture
async def database(video_db_url: str) -> AsyncIterator[Database]:
    database = Database(video_db_url, size=20)
    await database.open()
    await PostgresVisitCopies(database).keep([visit()], 1)
    yield database
    await database.close()


@pytest.fixture
def sessions(database: Database) -> PostgresSessions:
    return PostgresSessions(database)


async def come(sessions: PostgresSessions, side: ParticipantType, now: datetime) -> Session:
    return await sessions.change(APPOINTMENT, lambda session: admit(session, side, RULES, now))


async def test_both_sides_are_kept_in_the_order_of_their_coming(sessions: PostgresSessions) -> None:
    later = START + timedelta(minutes=2)
    await come(sessions, DOCTOR, START)
    after = await come(sessions, PATIENT, later)
    assert after.arrivals == (Arrival(DOCTOR, START), Arrival(PATIENT, later))
    assert await sessions.get(after.session_id) == after


async def test_twenty_arrivals_at_once_are_one(sessions: PostgresSessions) -> None:
    times = [START + timedelta(seconds=second) for second in range(20)]
    answers = await asyncio.gather(*(come(sessions, PATIENT, time) for time in times))
    kept = await sessions.of_appointment(APPOINTMENT)
    assert kept is not None
    assert len(kept.arrivals) == 1
    assert {answer.arrivals for answer in answers} == {kept.arrivals}


async def test_a_refused_arrival_leaves_nothing(sessions: PostgresSessions) -> None:
    with pytest.raises(JoinTooEarly):
        await come(sessions, PATIENT, START - timedelta(days=1))
    kept = await sessions.of_appointment(APPOINTMENT)
    assert kept is not None
    assert kept.arrivals == ()


async def test_an_unknown_appointment_has_no_session(database: Database) -> None:
    with pytest.raises(SessionNotFound):
        await PostgresSessions(database).change(SESSION, lambda session: session)


async def test_an_arrival_waits_for_a_cancellation_under_way_and_is_then_refused(
    sessions: PostgresSessions, video_db_url: str
) -> None:
    async with await psycopg.AsyncConnection.connect(video_db_url) as feed:
        await feed.execute("UPDATE session SET appointment_status = 'CANCELLED', appointment_version = 2")
        arrival = asyncio.create_task(come(sessions, PATIENT, START))
        await until_somebody_waits_for_a_lock(video_db_url)
        await feed.commit()
        with pytest.raises(WrongState):
            await arrival


async def until_somebody_waits_for_a_lock(url: str) -> None:
    """Returns once a statement in this database waits for a lock, within 5 seconds."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with asyncio.timeout(5), await psycopg.AsyncConnection.connect(url, autocommit=True) as onlooker:
        while (await (await onlooker.execute(waiting)).fetchone()) == (0,):  # noqa: ASYNC110 - PostgreSQL sets no event
            await asyncio.sleep(0.01)


async def test_who_came_before_the_visit_was_moved_is_written_anew(
    sessions: PostgresSessions, database: Database
) -> None:
    await come(sessions, PATIENT, START)
    tomorrow = START + timedelta(days=1)
    await PostgresVisitCopies(database).keep([visit(start=tomorrow, version=2)], 2)
    after = await come(sessions, PATIENT, tomorrow)
    assert after.arrivals == (Arrival(PATIENT, tomorrow),)
    assert await sessions.of_appointment(APPOINTMENT) == after


async def test_instants_come_back_as_they_went_in(sessions: PostgresSessions) -> None:
    kept = await sessions.of_appointment(APPOINTMENT)
    assert kept is not None
    assert (kept.visit.start, kept.visit.end) == (START, END)


@pytest.mark.parametrize("name", ["get_session", "get_session_of_appointment", "lock_session_of_appointment"])
async def test_a_session_is_found_by_an_index(name: str, database: Database) -> None:
    explained = Query("explain", f"EXPLAIN {QUERIES[name].text}")
    async with database.session() as session:
        await session.execute(Query("indexes_only", "SET enable_seqscan = off"))
        plan = await session.all(explained, {"session_id": SESSION, "appointment_id": APPOINTMENT})
        await session.execute(Query("as_before", "RESET enable_seqscan"))
    text = "\n".join(str(row["QUERY PLAN"]) for row in plan)
    assert "Seq Scan" not in text
    assert "Index" in text
