"""Who comes is kept once, and decided on what is true at that moment."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from uuid import uuid4

import psycopg
import pytest

from chassis.db import Database
from chassis.sql import Query
from tests.domain.video.video_builders import APPOINTMENT, END, RULES, SESSION, START, visit
from video_svc.domain.errors import JoinTooEarly, SessionNotFound, WrongState
from video_svc.domain.joining import begin, checked_in, come
from video_svc.domain.participant import DeviceCheck
from video_svc.domain.presence import ended, reported
from video_svc.domain.session import Session
from video_svc.domain.visit import ParticipantType
from video_svc.storage.sessions import PostgresSessions
from video_svc.storage.sql import SESSIONS, SIGNALS
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
    return PostgresSessions(database, RULES)


async def known(sessions: PostgresSessions) -> Session:
    found = await sessions.of_appointment(APPOINTMENT)
    assert found is not None
    return found


async def arrive(sessions: PostgresSessions, side: ParticipantType, now: datetime) -> Session:
    new_id, session_id = str(uuid4()), (await known(sessions)).session_id
    return await sessions.change(session_id, lambda session: come(session, side, new_id, RULES, now))


async def test_both_sides_are_kept_in_the_order_of_their_coming(sessions: PostgresSessions) -> None:
    later = START + timedelta(minutes=2)
    await arrive(sessions, DOCTOR, START)
    after = await arrive(sessions, PATIENT, later)
    assert [(one.side, one.joined) for one in after.present()] == [(DOCTOR, START), (PATIENT, later)]
    assert (await known(sessions)).present() == after.present()


async def test_everything_about_a_session_comes_back_as_it_went_in(sessions: PostgresSessions) -> None:
    await arrive(sessions, PATIENT, START)
    session_id = (await known(sessions)).session_id

    def live(session: Session) -> Session:
        session = begin(session, DOCTOR, str(uuid4()), request_id="r", rules=RULES, now=START)
        session = reported(session, DOCTOR, 1, 7, is_connected=True, now=END)
        return checked_in(session, DOCTOR, DeviceCheck(camera=True, microphone=False, network=True))

    after = await sessions.change(session_id, live)
    assert sorted((await known(sessions)).participants, key=str) == sorted(after.participants, key=str)
    over = await sessions.change(session_id, lambda session: ended(session, END))
    kept = await known(sessions)
    assert (kept.life, kept.visit.start, kept.visit.end) == (over.life, START, END)


async def test_twenty_arrivals_at_once_are_one(sessions: PostgresSessions) -> None:
    times = [START + timedelta(seconds=second) for second in range(20)]
    answers = await asyncio.gather(*(arrive(sessions, PATIENT, time) for time in times))
    (one,) = (await known(sessions)).participants
    assert {(found.joined, found.participant_id) for answer in answers for found in answer.participants} == {
        (one.joined, one.participant_id)
    }


async def test_a_refused_arrival_leaves_nothing(sessions: PostgresSessions) -> None:
    with pytest.raises(JoinTooEarly):
        await arrive(sessions, PATIENT, START - timedelta(days=1))
    assert (await known(sessions)).participants == ()


async def test_an_unknown_session_cannot_be_changed(sessions: PostgresSessions) -> None:
    with pytest.raises(SessionNotFound):
        await sessions.change(SESSION, lambda session: session)


async def test_an_arrival_waits_for_a_cancellation_under_way_and_is_then_refused(
    sessions: PostgresSessions, video_db_url: str
) -> None:
    async with await psycopg.AsyncConnection.connect(video_db_url) as feed:
        await feed.execute("UPDATE session SET appointment_status = 'CANCELLED', appointment_version = 2")
        arrival = asyncio.create_task(arrive(sessions, PATIENT, START))
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
    await arrive(sessions, PATIENT, START)
    tomorrow = START + timedelta(days=1)
    await PostgresVisitCopies(database).keep([visit(start=tomorrow, version=2)], 2)
    assert (await known(sessions)).present() == ()
    after = await arrive(sessions, PATIENT, tomorrow)
    assert [one.joined for one in after.present()] == [tomorrow]
    assert (await known(sessions)).present() == after.present()


async def test_a_sign_of_life_is_kept_and_wakes_nobody(sessions: PostgresSessions, database: Database) -> None:
    await arrive(sessions, PATIENT, START)
    session_id = (await known(sessions)).session_id
    before = await database.one(SIGNALS["session_head"], {"session_id": session_id})
    later = START + timedelta(seconds=10)
    await arrive(sessions, PATIENT, later)
    assert [one.seen for one in (await known(sessions)).participants] == [later]
    assert await database.one(SIGNALS["session_head"], {"session_id": session_id}) == before


@pytest.mark.parametrize(
    "query",
    [
        *(SESSIONS[name] for name in ("get_session", "get_session_of_appointment", "lock_session", "due_sessions")),
        *(SIGNALS[name] for name in ("session_news", "session_head", "redeem_ticket")),
    ],
    ids=lambda query: query.name,
)
async def test_every_hot_statement_goes_by_an_index(query: Query, database: Database) -> None:
    explained = Query("explain", f"EXPLAIN {query.text}")
    parameters: dict[str, object] = {
        "session_id": SESSION,
        "appointment_id": APPOINTMENT,
        "receiver": "DOCTOR",
        "after_seq": 0,
        "most": 200,
        "ticket_hash": b"",
        "now": START,
        **dict.fromkeys(("began_before", "broken_before", "closed_before", "seen_before"), START),
    }
    async with database.session() as session:
        await session.execute(Query("indexes_only", "SET enable_seqscan = off"))
        plan = await session.all(explained, parameters)
        await session.execute(Query("as_before", "RESET enable_seqscan"))
    text = "\n".join(str(row["QUERY PLAN"]) for row in plan)
    assert "Seq Scan" not in text
    assert "Index" in text
