"""The copy of the appointments: each change counts once, whatever order and company it comes in."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import psycopg
import pytest

from chassis.db import Database
from chassis.progress import Progress
from kernel.appointment_status import AppointmentStatus
from tests.domain.video.video_builders import APPOINTMENT, RULES, START, visit
from tests.fix_spans import Spans
from video_svc.app.copy_visits import CopyVisits, VisitChange
from video_svc.domain.visit import Visit
from video_svc.storage.sessions import PostgresSessions
from video_svc.storage.visit_copies import PostgresVisitCopies

CANCELLED = AppointmentStatus.CANCELLED


@pytest.fixture
async def database(video_db_url: str) -> AsyncIterator[Database]:
    database = Database(video_db_url, size=8)
    await database.open()
    yield database
    await database.close()


@pytest.fixture
def copies(database: Database) -> PostgresVisitCopies:
    return PostgresVisitCopies(database)


@pytest.fixture
def sessions(database: Database) -> PostgresSessions:
    return PostgresSessions(database, RULES)


async def test_an_empty_copy_begins_at_the_beginning(copies: PostgresVisitCopies, sessions: PostgresSessions) -> None:
    assert await copies.cursor() == ""
    assert await sessions.of_appointment(APPOINTMENT) is None


async def test_a_visit_gets_one_random_session_and_keeps_it(
    copies: PostgresVisitCopies, sessions: PostgresSessions
) -> None:
    await copies.keep([visit()], 1)
    made = await sessions.of_appointment(APPOINTMENT)
    moved = visit(start=START + timedelta(days=1), version=2)
    await copies.keep([moved], 2)
    kept = await sessions.of_appointment(APPOINTMENT)

    assert made is not None
    assert kept is not None
    assert UUID(made.session_id).version == 4
    assert kept.session_id == made.session_id
    assert kept.visit == moved
    assert await sessions.get(made.session_id) == kept


@pytest.mark.parametrize("late", [visit(version=2), visit(version=1, start=START + timedelta(hours=1))])
async def test_a_repeat_or_a_latecomer_changes_nothing(
    late: Visit, copies: PostgresVisitCopies, sessions: PostgresSessions
) -> None:
    await copies.keep([visit(CANCELLED, version=2)], 7)
    await copies.keep([late], 7)
    kept = await sessions.of_appointment(APPOINTMENT)
    assert kept is not None
    assert kept.visit == visit(CANCELLED, version=2)


@pytest.mark.parametrize("seed", range(5))
async def test_shuffled_and_doubled_batches_end_in_the_newest_versions(
    seed: int, copies: PostgresVisitCopies, sessions: PostgresSessions
) -> None:
    chance = random.Random(seed)  # noqa: S311 - a repeatable shuffle
    appointments = [str(uuid4()) for _ in range(6)]
    history = [
        visit(chance.choice(list(AppointmentStatus)), appointment_id=one, version=version)
        for one in appointments
        for version in range(1, 6)
    ]
    told = [VisitChange(revision, item) for revision, item in enumerate(history, start=1)] * 2
    chance.shuffle(told)

    copy = CopyVisits(copies, Progress())
    for start in range(0, len(told), 13):
        await copy(told[start : start + 13])

    newest = {item.appointment_id: item for item in history}
    kept = [await sessions.of_appointment(one) for one in appointments]
    assert [session and session.visit for session in kept] == [newest[one] for one in appointments]
    assert await copy.cursor() == str(len(history))


async def test_the_cursor_never_goes_back(copies: PostgresVisitCopies) -> None:
    await copies.keep([visit()], 9)
    await copies.keep([visit()], 4)
    assert await copies.cursor() == "9"


async def test_a_batch_that_fails_leaves_neither_visits_nor_cursor(
    copies: PostgresVisitCopies, sessions: PostgresSessions
) -> None:
    backwards = Visit(str(uuid4()), str(uuid4()), str(uuid4()), AppointmentStatus.CONFIRMED, START, START, 1)
    with pytest.raises(psycopg.errors.CheckViolation):
        await copies.keep([visit(), backwards], 2)
    assert await copies.cursor() == ""
    assert await sessions.of_appointment(APPOINTMENT) is None


async def test_replicas_that_copy_the_same_changes_in_opposite_order_do_not_deadlock(
    copies: PostgresVisitCopies, database: Database
) -> None:
    there = [visit(appointment_id=str(uuid4())) for _ in range(200)]
    await copies.keep(there, 1)
    for version in range(2, 6):
        newer = [visit(appointment_id=item.appointment_id, version=version) for item in there]
        other = PostgresVisitCopies(database)
        await asyncio.gather(copies.keep(newer, version), other.keep(newer[::-1], version))
    assert await copies.cursor() == "5"


async def test_the_copy_is_linked_to_the_traces_that_caused_it(copies: PostgresVisitCopies, spans: Spans) -> None:
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    caused = VisitChange(1, visit(), f"00-{trace_id}-b7ad6b7169203331-01")

    await CopyVisits(copies, Progress())([caused, VisitChange(2, visit(version=2))])

    (span,) = spans.named("copy visits")
    assert [f"{link.context.trace_id:032x}" for link in span.links] == [trace_id]
    assert span.parent is None


async def test_the_lag_is_what_the_feed_has_and_the_copy_has_not(copies: PostgresVisitCopies) -> None:
    progress = Progress()
    copy = CopyVisits(copies, progress)
    progress.head = 5
    await copy([VisitChange(1, visit()), VisitChange(2, visit(version=2))])
    assert progress.lag == 3

    restarted = Progress()
    await CopyVisits(copies, restarted).cursor()
    assert restarted.applied == 2
    assert restarted.lag == 0
