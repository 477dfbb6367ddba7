"""Upgrades of the ledger: claims made before there were doctors' days get theirs, and the older service still books."""

import shutil
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from appointment_svc.storage.rows import MIGRATIONS
from chassis.migrations import migrate
from tests.fix_postgres import Databases

BEFORE_HOLDS = 5
# What the service before holds sends; the names are those of its own statement.
BOOK = """
    SELECT outcome FROM book(
        p_caller => 'me', p_caller_role => 'admin', p_method => 'Book', p_request_id => NULL, p_fingerprint => NULL,
        p_patient_id => %(patient)s::uuid, p_kind => 'FollowUp', p_timezone => 'UTC', p_specialty_required => '',
        p_patient_notes => '', p_day_limit => 3, p_now => now(), p_traceparent => '',
        p_appointment_ids => ARRAY[gen_random_uuid()], p_doctor_ids => ARRAY[%(doctor)s::uuid],
        p_start_times => ARRAY[%(start)s::timestamptz],
        p_end_times => ARRAY[%(start)s::timestamptz + interval '20 min'],
        p_buffer_minutes => ARRAY[10], p_capacities => ARRAY[1], p_days => ARRAY[%(start)s::date],
        p_match_scores => ARRAY[0.5::float8], p_are_preferred => ARRAY[false], p_answers => ARRAY['x'::bytea]
    )"""
STATE = """
    SELECT a.status::text, a.requires_approval, a.match_policy_version, d.day::text, p.day::text, d.day_ordinal
    FROM appointment a JOIN doctor_claim d USING (appointment_id) JOIN patient_claim p USING (appointment_id)
    ORDER BY a.start_time"""


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """The migrations as they were before holds."""
    for path in sorted(MIGRATIONS.glob("*.sql"))[:BEFORE_HOLDS]:
        shutil.copy(path, tmp_path)
    return tmp_path


async def test_what_was_booked_before_keeps_its_day_and_the_older_service_books_on(databases: Databases, older: Path):
    name = await databases.create("upgraded")
    url, doctor = databases.url(name), str(uuid4())
    await migrate(url, older)
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:

        async def book(start: str) -> str:
            wish = {"doctor": doctor, "patient": str(uuid4()), "start": start}
            row = await (await connection.execute(BOOK, wish)).fetchone()
            assert row is not None
            outcome: str = row[0]
            return outcome

        assert await book("2026-03-04 10:00Z") == "BOOKED"
        await migrate(url, MIGRATIONS)
        assert await book("2026-03-04 10:10Z") == "SLOT_TAKEN"
        assert await book("2026-03-05 10:00Z") == "BOOKED"
        rows = await (await connection.execute(STATE)).fetchall()
    assert rows == [
        ("CONFIRMED", False, 0, "2026-03-04", "2026-03-04", None),
        ("CONFIRMED", False, 0, "2026-03-05", "2026-03-05", None),
    ]
    await databases.drop(name)
