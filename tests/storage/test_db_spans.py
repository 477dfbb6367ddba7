"""What work with the database leaves in a trace: waits, the statements with their text, and how they failed."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import psycopg
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind
from psycopg_pool import PoolTimeout

from chassis.context import time_limit
from chassis.db import Database
from chassis.sql import Query
from chassis.telemetry import LONGEST_ATTRIBUTE, tracer
from tests.fix_services import until
from tests.fix_spans import Spans

ECHO = Query("echo", "SELECT %(value)s::text AS value")
WRONG = Query("divide", "SELECT 1 / %(by)s::int")
SECRET = "patient Jane Doe"  # noqa: S105 - a value, which no span may hold


@pytest.fixture
async def database(appointment_db_url: str) -> AsyncIterator[Database]:
    found = Database(appointment_db_url, size=1)
    await found.open()
    await found.one(ECHO, {"value": "connected"})
    yield found
    await found.close()


def statements(spans: Spans) -> list[str]:
    """The names of the spans below the test's own, in the order in which they started."""
    found = [span for span in spans.all() if span.kind is SpanKind.CLIENT]
    (around,) = spans.named("test")
    assert all(span.parent == around.context for span in found)
    return [span.name for span in sorted(found, key=lambda span: span.start_time or 0)]


def attributes(span: ReadableSpan) -> dict[str, object]:
    return dict(span.attributes or {})


async def test_a_statement_is_told_with_its_text_and_without_its_values(
    database: Database, appointment_db_url: str, spans: Spans
):
    with tracer().start_as_current_span("test"):
        await database.one(ECHO, {"value": SECRET})
    (span,) = spans.named("echo")
    told = attributes(span)
    where = psycopg.conninfo.conninfo_to_dict(appointment_db_url)
    assert told.pop("server.address") == where["host"]
    assert told.pop("server.port", None) in {None, int(where.get("port") or 5432)}
    assert told == {
        "db.system.name": "postgresql",
        "db.namespace": database.name,
        "db.query.summary": "echo",
        "db.query.text": ECHO.text,
    }
    assert SECRET not in span.to_json()


async def test_of_a_long_statement_the_beginning_is_told(database: Database, spans: Spans):
    with tracer().start_as_current_span("test"):
        await database.one(Query("long", "SELECT 1 AS one" + " " * 2_000))
    (span,) = spans.named("long")
    assert len(str(attributes(span)["db.query.text"])) == LONGEST_ATTRIBUTE


async def test_a_transaction_shows_where_it_begins_and_where_it_is_committed(database: Database, spans: Spans):
    with tracer().start_as_current_span("test"):
        async with database.transaction() as session:
            await session.one(ECHO, {"value": "1"})
            await session.one(ECHO, {"value": "2"})
    assert statements(spans) == ["BEGIN", "echo", "echo", "COMMIT"]
    assert {span.status.status_code.name for span in spans.all()} == {"UNSET"}


async def test_a_failed_statement_leaves_its_sqlstate_and_the_transaction_is_rolled_back(
    database: Database, spans: Spans
):
    with tracer().start_as_current_span("test"), pytest.raises(psycopg.errors.DivisionByZero):
        async with database.transaction() as session:
            await session.one(WRONG, {"by": 0})
    assert statements(spans) == ["BEGIN", "divide", "ROLLBACK"]
    (failed,) = spans.named("divide")
    told = attributes(failed)
    assert (told["db.response.status_code"], told["error.type"]) == ("22012", "22012")
    assert (failed.status.status_code.name, failed.status.description, failed.events) == ("ERROR", None, ())
    assert spans.named("ROLLBACK")[0].status.status_code.name == "UNSET"


async def test_several_rows_in_one_exchange_are_one_span_that_says_how_many(database: Database, spans: Spans):
    with tracer().start_as_current_span("test"):
        async with database.session() as session:
            await session.execute_many(ECHO, [{"value": str(number)} for number in range(3)])
    (span,) = spans.named("echo")
    assert attributes(span)["db.operation.batch.size"] == 3


async def test_work_that_waits_for_a_connection_shows_it(database: Database, spans: Spans):
    async def wanting() -> None:
        with tracer().start_as_current_span("test"):
            await database.one(ECHO, {"value": "at last"})

    async with database.session():
        waiting = asyncio.create_task(wanting())
        await until(lambda: database._pool.get_stats().get("requests_waiting", 0) == 1)
        await asyncio.sleep(0.01)
    await waiting
    assert statements(spans) == ["wait for connection", "echo"]
    wait, statement = spans.named("wait for connection")[0], spans.named("echo")[0]
    assert (wait.end_time or 0) - (wait.start_time or 0) >= 10_000_000
    assert (wait.end_time or 0) <= (statement.start_time or 0) + 1_000_000


async def test_a_wait_in_vain_is_a_failure(database: Database, spans: Spans):
    async with database.session():
        with tracer().start_as_current_span("test"), time_limit(0.05), pytest.raises(PoolTimeout):
            await database.one(ECHO, {"value": "never"})
    (wait,) = spans.named("wait for connection")
    assert (attributes(wait)["error.type"], wait.status.status_code.name) == ("PoolTimeout", "ERROR")


async def test_statements_outside_of_any_trace_begin_none(database: Database, spans: Spans):
    async with database.transaction() as session:
        await session.one(ECHO, {"value": str(uuid4())})
    assert spans.all() == []


async def test_of_several_servers_the_one_that_answered_is_told(appointment_db_url: str, spans: Spans):
    where = psycopg.conninfo.conninfo_to_dict(appointment_db_url)
    hosts, ports = f"/nowhere,{where['host']}", f"5432,{where.get('port') or 5432}"
    database = Database(psycopg.conninfo.make_conninfo(appointment_db_url, host=hosts, port=ports), size=1)
    await database.open()
    try:
        with tracer().start_as_current_span("test"):
            await database.one(ECHO, {"value": "here"})
    finally:
        await database.close()
    assert attributes(spans.named("echo")[0])["server.address"] == where["host"]
    assert "server.address" not in attributes(spans.named("wait for connection")[0])
