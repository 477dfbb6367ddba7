"""The feed as streams follow it: at once, read once for all of them, and no further than each of them takes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import psycopg
import pytest

from appointment_svc.app.ports import FeedPage, FeedReader
from appointment_svc.domain.changes import Change
from appointment_svc.storage import live_feed
from appointment_svc.storage.feed import PostgresFeed
from appointment_svc.storage.live_feed import LiveFeed
from tests.fix_ledger import LedgerBench, draft, order

EVERYONE = FeedReader()


@asynccontextmanager
async def alive(bench: LedgerBench) -> AsyncIterator[LiveFeed]:
    """The feed with its sequencer and its reader at work, as in a process of the service."""
    work = [asyncio.create_task(bench.sequencer.run()), asyncio.create_task(bench.live_feed.run())]
    try:
        yield bench.live_feed
    finally:
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)


async def book(bench: LedgerBench, **who: str) -> str:
    one = draft(**({"doctor_id": str(uuid4()), "patient_id": str(uuid4())} | who))
    await bench.ledger.book(order([one]))
    return one.appointment.id


async def copied(url: str, count: int) -> None:
    """So many more events like the first one, waiting for their numbers."""
    insert = """
        WITH written AS (
            INSERT INTO event (appointment_id, version, kind, event_time, patient_id, doctor_id, actor_subject,
                               actor_role, reason, after, traceparent)
            SELECT gen_random_uuid(), 1, kind, event_time, patient_id, doctor_id, '', 'admin', '', after, ''
            FROM (SELECT * FROM event ORDER BY event_id LIMIT 1) e, generate_series(1, %s) RETURNING event_id
        ) INSERT INTO event_pending SELECT event_id FROM written"""
    async with await psycopg.AsyncConnection.connect(url) as connection:
        await connection.execute(insert, (count,))


async def changes(pages: AsyncIterator[FeedPage], count: int) -> list[FeedPage]:
    """Pages with changes, until there are so many of those."""
    seen: list[FeedPage] = []
    async with asyncio.timeout(10):
        async for page in pages:
            seen += [page] if page.changes else []
            if sum(len(page.changes) for page in seen) >= count:
                return seen
    raise AssertionError("the feed ended")


def numbers(pages: list[FeedPage]) -> list[int]:
    return [change.number for page in pages for change in page.changes]


async def test_a_follower_is_handed_what_is_committed_while_it_waits(bench: LedgerBench):
    async with alive(bench) as feed:
        stream = feed.follow(EVERYONE, 0)
        assert await anext(stream) == FeedPage((), 0, 0), "the stream opens with a sign of life"
        appointment_id = await book(bench)
        (page,) = await changes(stream, 1)
        assert [change.appointment.id for change in page.changes] == [appointment_id]
        assert (page.complete, page.head) == (1, 1)


async def test_without_the_shared_reader_a_follower_reads_by_itself(bench: LedgerBench):
    sequencing = asyncio.create_task(bench.sequencer.run())
    try:
        stream = bench.live_feed.follow(EVERYONE, 0)
        await anext(stream)
        await book(bench)
        assert numbers(await changes(stream, 1)) == [1]
    finally:
        sequencing.cancel()


async def test_a_shared_reader_that_has_stopped_delays_a_follower_and_no_more(
    bench: LedgerBench, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(live_feed, "SIGN_OF_LIFE_SECONDS", 0.3)
    async with alive(bench):
        await book(bench)
        await changes(bench.live_feed.follow(EVERYONE, 0), 1)
    sequencing = asyncio.create_task(bench.sequencer.run())
    try:
        stream = bench.live_feed.follow(EVERYONE, 1)
        await book(bench)
        assert numbers(await changes(stream, 1)) == [2]
    finally:
        sequencing.cancel()


async def test_a_quiet_feed_gives_signs_of_life_that_move_on_past_what_is_held_back(
    bench: LedgerBench, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(live_feed, "SIGN_OF_LIFE_SECONDS", 0.2)
    async with alive(bench) as feed:
        stream = feed.follow(FeedReader(patient_id=str(uuid4())), 0)
        await anext(stream)
        for _ in range(3):
            await book(bench)
        async with asyncio.timeout(5):
            async for page in stream:
                assert not page.changes
                if page.complete == 3:
                    return


@pytest.mark.parametrize("is_behind", [False, True])
async def test_filters_let_the_same_through_from_memory_and_from_the_database(bench: LedgerBench, is_behind: bool):
    patient, doctor = str(uuid4()), str(uuid4())
    async with alive(bench) as feed:
        readers = {
            "patient": FeedReader(patient_id=patient),
            "doctor": FeedReader(doctor_id=doctor),
            "kinds": FeedReader(kinds=frozenset({Change.BOOKED, Change.NO_SHOW})),
            "doctor and kind": FeedReader(doctor_id=doctor, kinds=frozenset({Change.BOOKED})),
        }
        streams = {} if is_behind else {name: feed.follow(reader, 0) for name, reader in readers.items()}
        for stream in streams.values():
            await anext(stream)
        await book(bench, patient_id=patient)
        await book(bench, doctor_id=doctor)
        await book(bench)
        expected = {"patient": [1], "doctor": [2], "kinds": [1, 2, 3], "doctor and kind": [2]}
        if is_behind:
            await changes(feed.follow(EVERYONE, 0), 3)
            bench.live_feed._window = None
            streams = {name: feed.follow(reader, 0) for name, reader in readers.items()}
        for name, wanted in expected.items():
            assert numbers(await changes(streams[name], len(wanted))) == wanted, name


async def test_a_hundred_streams_cost_the_database_no_more_than_one(
    bench: LedgerBench, monkeypatch: pytest.MonkeyPatch
):
    reads: list[FeedReader] = []
    read = PostgresFeed.read

    async def counted(self: PostgresFeed, reader: FeedReader, after: int, limit: int) -> FeedPage:
        reads.append(reader)
        return await read(self, reader, after, limit)

    # However slow the machine is: a sign of life is read from the database.
    monkeypatch.setattr(live_feed, "SIGN_OF_LIFE_SECONDS", 60)
    async with alive(bench) as feed:
        await book(bench)
        await changes(feed.follow(EVERYONE, 0), 1)
        streams = [feed.follow(FeedReader(patient_id=str(uuid4())), 1) for _ in range(99)] + [feed.follow(EVERYONE, 1)]
        for stream in streams:
            await anext(stream)
        waiting = [asyncio.create_task(anext(stream)) for stream in streams]
        monkeypatch.setattr(PostgresFeed, "read", counted)
        for _ in range(5):
            await book(bench)
        async with asyncio.timeout(5):
            assert (await waiting[-1]).changes
        await asyncio.sleep(0.1)
        assert set(reads) == {EVERYONE}, "only the shared reader asks the database"
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def test_a_feed_longer_than_memory_is_followed_from_the_start_without_a_gap(
    bench: LedgerBench, appointment_db_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(live_feed, "_KEPT", 300)
    async with alive(bench) as feed:
        await book(bench)
        late = feed.follow(EVERYONE, 0)
        await anext(late)
        for count in (700, 900, 1100):
            await copied(appointment_db_url, count)
            await changes(feed.follow(EVERYONE, 0), count)
        assert numbers(await changes(late, 2701)) == list(range(1, 2702))
        assert bench.live_feed._window is not None
        assert len(bench.live_feed._window.changes) <= 600 + 500


async def test_a_rare_kind_is_looked_for_a_stretch_at_a_time(
    bench: LedgerBench, appointment_db_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("appointment_svc.storage.feed._MOST_LOOKED_AT", 100)
    await book(bench)
    await copied(appointment_db_url, 350)
    async with alive(bench) as feed:
        await changes(feed.follow(EVERYONE, 0), 351)
        page = await bench.feed.read(FeedReader(kinds=frozenset({Change.CANCELLED})), 0, 10)
        assert (len(page.changes), page.complete, page.head) == (0, 100, 351)
