"""The question whether the database is there: asked of it, and answered also by what it has done for others."""

import asyncio

import psycopg
import pytest

from chassis import db
from chassis.db import Database
from chassis.sql import Query

# Takes a while and fails: the sleep is of the FROM clause, which comes first.
FAILS_LATE = Query("fails_late", "SELECT 1 / (random() * 0)::int FROM pg_sleep(0.3)")
WORKS = Query("works", "SELECT 1")


async def test_a_database_that_answers_is_there(doctor_db: Database):
    await doctor_db.ping()


async def test_a_question_without_an_answer_tells_that_it_is_away(doctor_db: Database, monkeypatch: pytest.MonkeyPatch):
    await doctor_db.one(WORKS)
    monkeypatch.setattr(db, "_PING", FAILS_LATE)
    with pytest.raises(psycopg.errors.DivisionByZero):
        await doctor_db.ping()


async def test_but_not_when_somebody_else_was_answered_meanwhile(doctor_db: Database, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(db, "_PING", FAILS_LATE)
    asking = asyncio.create_task(doctor_db.ping())
    await asyncio.sleep(0.1)
    await doctor_db.one(WORKS)
    await asking


async def test_a_failed_statement_of_somebody_else_is_no_answer(doctor_db: Database, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(db, "_PING", FAILS_LATE)
    asking = asyncio.create_task(doctor_db.ping())
    await asyncio.sleep(0.1)
    with pytest.raises(psycopg.errors.UndefinedTable):
        await doctor_db.one(Query("fails", "SELECT * FROM nowhere"))
    with pytest.raises(psycopg.errors.DivisionByZero):
        await asking
