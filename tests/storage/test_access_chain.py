"""The record of accesses: rows of many calls share a commit, and whatever is tampered with is found."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import uuid4

import psycopg
import pytest

from chassis.access_audit import auditing_accesses, read_access_head
from chassis.access_log import PostgresAccessLog
from chassis.accesses import Access, Action
from chassis.chain_walk import Anchor, Finding
from chassis.context import Caller, Role
from chassis.db import Database
from chassis.metrics import REGISTRY
from kernel.errors import Unavailable
from tests.fix_accesses import AccessRecord
from tests.fix_postgres import Databases

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
WORDS = "found unconscious: «пульс» \\u0000"
ROWS = 8
CHANGED, MISSING, CUT, REWRITTEN = Finding.CHANGED, Finding.MISSING, Finding.CUT, Finding.REWRITTEN


def access(*, reason: str = "", delegate: str = "", patient_id: str | None = None) -> Access:
    caller = Caller(str(uuid4()), Role.DOCTOR, "", delegate=delegate, purpose_reason=reason)
    ids = (str(uuid4()), None), (patient_id or str(uuid4()), None)
    return Access("telemed.x.v1.X/Read", Action.READ, "X", *ids, "kinds=A", caller, "OK", "", "00-aa-bb-01")


@pytest.fixture(params=["appointment", "doctor", "video"])
async def record(
    request: pytest.FixtureRequest,
    databases: Databases,
    appointment_template: str,
    doctor_template: str,
    video_template: str,
) -> AsyncIterator[AccessRecord]:
    """An empty record in the database of each service."""
    templates = {"appointment": appointment_template, "doctor": doctor_template, "video": video_template}
    name = await databases.create(request.param, template=templates[request.param])
    yield AccessRecord(request.param, databases.url(name))
    await databases.drop(name)


@pytest.fixture
async def pool(record: AccessRecord) -> AsyncIterator[Database]:
    database = Database(record.url, size=4)
    await database.open()
    yield database
    await database.close()


@pytest.fixture
async def written(record: AccessRecord, pool: Database) -> AccessRecord:
    """Eight rows, the third with words."""
    log = PostgresAccessLog(pool, lambda: NOW)
    for number in range(ROWS):
        await log.write(access(reason=WORDS if number == 2 else "", delegate=str(uuid4()) if number == 4 else ""))
    return record


async def test_what_the_database_links_is_what_the_code_computes(written: AccessRecord):
    assert await written.faults() == []
    rows = await written.rows()
    assert [row["number"] for row in rows] == list(range(1, ROWS + 1))
    assert (rows[2]["reason"], rows[2]["purpose"]) == (WORDS, "BTG")
    assert (rows[3]["reason"], rows[3]["purpose"], rows[3]["acted_by"]) == ("", "TREAT", None)
    assert rows[4]["acted_by"]


async def test_rows_of_many_calls_are_each_kept_once_and_share_statements(record: AccessRecord, pool: Database):
    log = PostgresAccessLog(pool, lambda: NOW)
    many = [access() for _ in range(300)]
    before = statements_made()
    await asyncio.gather(*map(log.write, many))
    assert statements_made() - before < len(many) / 10
    rows = await record.rows()
    assert sorted(row["actor_subject"] for row in rows) == sorted(one.caller.subject for one in many)
    assert await record.faults() == []


def statements_made() -> float:
    """How often this process has asked a database to keep rows."""
    labels = {"db_query_summary": "record_accesses", "error_type": ""}
    return REGISTRY.get_sample_value("db_client_operation_duration_seconds_count", labels) or 0.0


async def test_replicas_take_turns_and_make_one_chain(record: AccessRecord, pool: Database):
    replicas = [PostgresAccessLog(pool, lambda: NOW) for _ in range(3)]
    await asyncio.gather(*(replica.write(access()) for _ in range(40) for replica in replicas))
    assert len(await record.rows()) == 120
    assert await record.faults() == []


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("UPDATE access SET outcome = 'NOT_FOUND' WHERE number = 5", [(CHANGED, "access 5")]),
        ("UPDATE access SET actor_subject = 'nobody' WHERE number = 5", [(CHANGED, "access 5")]),
        ("UPDATE access SET acted_by = NULL WHERE number = 5", [(CHANGED, "access 5")]),
        ("UPDATE access SET patient_ids[1] = gen_random_uuid() WHERE number = 1", [(CHANGED, "access 1")]),
        ("UPDATE access SET access_time = access_time + interval '1 ms' WHERE number = 8", [(CHANGED, "access 8")]),
        ("UPDATE access SET reason = 'bored' WHERE number = 3", [(CHANGED, "access 3")]),
        ("UPDATE access SET reason = '', reason_salt = NULL WHERE number = 3", [(CHANGED, "access 3")]),
        ("DELETE FROM access WHERE number = 6", [(MISSING, "6")]),
        ("DELETE FROM access WHERE number > 6", [(MISSING, "7 to 8")]),
        ("UPDATE access SET number = 9 WHERE number = 4", [(MISSING, "4"), (CHANGED, "access 9"), (CHANGED, "head")]),
    ],
)  # fmt: skip
async def test_a_row_changed_or_taken_out_is_found(
    written: AccessRecord, statement: str, expected: list[tuple[Finding, str]]
):
    await written.tamper(statement)
    assert [(fault.finding, fault.where) for fault in await written.faults()] == expected


async def test_a_record_that_was_cut_and_repaired_is_found_by_its_anchor(written: AccessRecord):
    head = await read_access_head(written.url)
    await written.tamper("DELETE FROM access WHERE number = 8")
    await written.tamper("UPDATE access_head SET (number, hash) = (SELECT number, hash FROM access WHERE number = 7)")
    assert await written.faults() == []
    async with auditing_accesses(written.service, written.url) as audit:
        assert [fault.finding async for fault in audit.faults([head])] == [CUT]


async def test_the_chain_of_another_service_is_not_taken_for_this_ones(written: AccessRecord):
    other = AccessRecord("nobody's", written.url)
    assert [(fault.finding, fault.where) for fault in await other.faults()] == [(CHANGED, "access 1")]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE access SET outcome = 'x'",
        "UPDATE access SET reason = 'x'",
        "DELETE FROM access",
        "TRUNCATE access",
    ],
)
async def test_the_database_refuses_to_change_it(written: AccessRecord, statement: str):
    async with await psycopg.AsyncConnection.connect(written.url) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await connection.execute(statement)  # type: ignore[arg-type]  # a test's own text


async def test_without_its_table_nobody_is_told_anything(record: AccessRecord, pool: Database):
    log = PostgresAccessLog(pool, lambda: NOW)
    await record.tamper("UPDATE access_head SET number = number")
    async with await psycopg.AsyncConnection.connect(record.url) as connection:
        await connection.execute("ALTER TABLE access RENAME TO elsewhere")
    with pytest.raises(Unavailable):
        await log.write(access())
    async with await psycopg.AsyncConnection.connect(record.url) as connection:
        await connection.execute("ALTER TABLE elsewhere RENAME TO access")
    await log.write(access())
    assert len(await record.rows()) == 1


async def test_a_row_that_nobody_waits_for_is_kept_before_the_log_closes(record: AccessRecord, pool: Database):
    log = PostgresAccessLog(pool, lambda: NOW)
    log.note(access())
    await log.close()
    assert len(await record.rows()) == 1


async def test_an_empty_record_ends_where_it_began(record: AccessRecord):
    assert (await read_access_head(record.url)).number == 0
    assert await record.faults() == []
    assert Anchor.parse(str(await read_access_head(record.url))) == await read_access_head(record.url)
