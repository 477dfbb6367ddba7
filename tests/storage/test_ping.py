"""The question whether the database is there: asked of it, and answered also by what it has done for others."""

import asyncio
from collections.abc import AsyncIterator

import psycopg
import pytest

from chassis import db
from chassis.db import Database
from chassis.sql import Query

# Takes a while and fails: the sleep is of the FROM clause, which comes first.
FAILS_LATE = Query("fails_late", "SELECT 1 / (random() * 0)::int FROM pg_sleep(0.3)")
WORKS = Query("works", "SELECT 1")


@pytest.fixture
async def database(appointment_db_url: str) -> AsyncIterator[Database]:
    opened = Database(appointment_db_url, size=2)
    await opened.open()
    try:
        yield opened
    finally:
        await opened.close()


async def test_a_database_that_answers_is_there(database: Database):
    await database.ping()


async def test_a_question_without_an_answer_tells_that_it_is_away(database: Database, monkeypatch: pytest.MonkeyPatch):
    await database.one(WORKS)
    monkeypatch.setattr(db, "_PING", FAILS_LATE)
    with pytest.raises(psycopg.errors.DivisionByZero):
        await database.ping()


async def test_but_not_when_somebody_else_was_answered_meanwhile(database: Database, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(db, "_PING", FAILS_LATE)
    asking = asyncio.create_task(database.ping())
    await asyncio.sleep(0.1)
    await database.one(WORKS)
    await asking


async def test_a_failed_statement_of_somebody_else_is_no_answer(database: Database, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(db, "_PING", FAILS_LATE)
    asking = asyncio.create_task(database.ping())
    await asyncio.sleep(0.1)
    with pytest.raises(psycopg.errors.UndefinedTable):
        await database.one(Query("fails", "SELECT * FROM nowhere"))
    with pytest.raises(psycopg.errors.DivisionByZero):
        await asking
