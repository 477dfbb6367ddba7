"""The feed: every committed change once, in commit order, however late a transaction commits."""

import asyncio
from uuid import uuid4

import psycopg

from appointment_svc.app.ports import FeedReader, Outcome
from appointment_svc.storage.rows import QUERIES
from chassis.sql import Query
from kernel.revision import ChangeOf, FeedPosition
from tests.fix_ledger import LedgerBench, draft, order

EVERYONE = FeedReader()
INSERT_EVENT = """
    WITH written AS (
        INSERT INTO event (appointment_id, version, kind, event_time, patient_id, doctor_id, actor_subject, actor_role,
                           reason, after, traceparent)
        SELECT gen_random_uuid(), 1, 'BOOKED', now(), patient_id, doctor_id, '', 'admin', %s, after, ''
        FROM event ORDER BY event_id LIMIT 1 RETURNING event_id
    )
    INSERT INTO event_pending SELECT event_id FROM written
"""
REASONS = Query(
    "reasons", "SELECT e.reason FROM feed f JOIN event e USING (event_id) WHERE f.revision > %(after)s ORDER BY 1"
)


async def sequence(bench: LedgerBench) -> int:
    row = await bench.database.one(QUERIES["sequence_events"], {"batch_size": 500})
    assert row is not None
    return int(row["numbered"])


async def book_one(bench: LedgerBench) -> str:
    one = draft(doctor_id=str(uuid4()), patient_id=str(uuid4()))
    verdict = await bench.ledger.book(order([one]))
    assert verdict.outcome is Outcome.BOOKED
    return one.appointment.id


async def test_a_transaction_that_commits_late_is_numbered_late_and_never_skipped(
    bench: LedgerBench, appointment_db_url: str
):
    await book_one(bench)
    await sequence(bench)
    async with (
        await psycopg.AsyncConnection.connect(appointment_db_url) as early,
        await psycopg.AsyncConnection.connect(appointment_db_url) as late,
    ):
        await early.execute(INSERT_EVENT, ("started first, committed last",))
        await late.execute(INSERT_EVENT, ("started last, committed first",))
        await late.commit()
        assert await sequence(bench) == 1
        first_page = await bench.feed.read(EVERYONE, 1, 100)
        assert [change.number for change in first_page.changes] == [2]
        await early.commit()
    assert await sequence(bench) == 1
    second_page = await bench.feed.read(EVERYONE, first_page.complete, 100)
    assert [change.number for change in second_page.changes] == [3]
    reasons = [row["reason"] for row in await bench.database.all(REASONS, {"after": 1})]
    assert sorted(reasons) == ["started first, committed last", "started last, committed first"]


async def test_many_sequencers_at_once_number_each_event_once_and_leave_no_gap(bench: LedgerBench):
    ids = {await book_one(bench) for _ in range(60)}
    await asyncio.gather(*(sequence(bench) for _ in range(8)))
    page = await bench.feed.read(EVERYONE, 0, 100)
    assert [change.number for change in page.changes] == list(range(1, 61))
    assert {change.appointment.id for change in page.changes} == ids


async def test_a_reader_that_resumes_sees_each_change_once(bench: LedgerBench):
    booked = [await book_one(bench) for _ in range(7)]
    await sequence(bench)
    seen: list[str] = []
    after = 0
    while page := (await bench.feed.read(EVERYONE, after, 3)).changes:
        seen += [change.appointment.id for change in page]
        after = page[-1].number
    assert seen == booked


async def test_the_feed_of_a_patient_holds_their_changes_alone(bench: LedgerBench):
    mine = draft(doctor_id=str(uuid4()), patient_id=str(uuid4()))
    await book_one(bench)
    await bench.ledger.book(order([mine]))
    await book_one(bench)
    await sequence(bench)
    page = await bench.feed.read(FeedReader(patient_id=mine.appointment.patient_id), 0, 100)
    assert [change.appointment.id for change in page.changes] == [mine.appointment.id]
    assert page.complete == 3


async def test_the_token_of_a_mutation_leads_to_its_place_in_the_feed(bench: LedgerBench):
    await book_one(bench)
    appointment_id = await book_one(bench)
    assert await bench.feed.position_of(ChangeOf(appointment_id, 1)) is None
    await sequence(bench)
    assert await bench.feed.position_of(ChangeOf(appointment_id, 1)) == FeedPosition(2)


async def test_a_writer_in_another_database_does_not_hold_the_feed_back(bench: LedgerBench, video_db_url: str):
    async with await psycopg.AsyncConnection.connect(video_db_url) as other:
        await other.execute("CREATE TABLE held_open (id int)")
        await book_one(bench)
        assert await sequence(bench) == 1
        assert len((await bench.feed.read(EVERYONE, 0, 10)).changes) == 1
        await other.rollback()
