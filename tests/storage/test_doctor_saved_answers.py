"""Saved answers of the doctor service: a repeat within a week is known, and after it forgotten."""

from datetime import timedelta

from chassis.db import Database
from chassis.saved_answers import KEPT_FOR, Forgetting
from chassis.sql import Query
from doctor_svc.app.ports import RequestKey, Unit
from doctor_svc.storage.sql import QUERIES
from doctor_svc.storage.transactions import StoredTransactions
from tests.fix_doctors import NOON

KEPT = Query("kept", "SELECT request_id FROM idempotency ORDER BY request_id")


async def test_answers_are_kept_for_a_week_and_then_forgotten(doctor_db: Database) -> None:
    async def work(_: Unit) -> bytes:
        return b"answer"

    for days_ago in (8, 7, 6):
        key = RequestKey("caller", "CreateDoctor", f"{days_ago} days ago", b"wish")
        await StoredTransactions(doctor_db).once(key, NOON - timedelta(days=days_ago), work)
    now = NOON
    forgetting = Forgetting(doctor_db, QUERIES["forget_requests"], lambda: now)
    assert await forgetting.once() == 1
    assert [row["request_id"] for row in await doctor_db.all(KEPT)] == ["6 days ago", "7 days ago"]
    now = NOON + KEPT_FOR
    assert await forgetting.once() == 2
    assert await forgetting.once() == 0
