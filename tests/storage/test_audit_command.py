"""`telemed audit` on a database: what it prints, and what its exit code says."""

import asyncio
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from appointment_svc.storage.rows import QUERIES
from stack.cli import main
from tests.fix_ledger import LedgerBench, draft, order


@pytest.fixture
async def history_of_three(
    bench: LedgerBench, appointment_db_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> list[str]:
    """Three events, and the arguments that lead the command to them."""
    for _ in range(3):
        await bench.ledger.book(order([draft(doctor_id=str(uuid4()), patient_id=str(uuid4()))]))
    await bench.database.one(QUERIES["sequence_events"], {"batch_size": 500})
    for service in ("APPOINTMENT", "DOCTOR", "VIDEO"):
        monkeypatch.setenv(f"TELEMED_{service}_DATABASE_URL", appointment_db_url)
    return ["--data", str(tmp_path)]


async def run(*arguments: str) -> int:
    return await asyncio.to_thread(main, ["audit", *arguments])


async def test_head_prints_an_anchor_alone_that_verify_takes(
    history_of_three: list[str], capsys: pytest.CaptureFixture[str]
):
    assert await run("head", *history_of_three) == 0
    anchor = capsys.readouterr().out.strip()
    assert anchor.startswith("3:")
    assert await run("verify", "--expect", anchor, *history_of_three) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("3 events in ")
    assert printed.endswith(f"head {anchor}; the history is whole\n")


async def test_verify_names_what_was_touched_and_exits_with_1(
    history_of_three: list[str], appointment_db_url: str, capsys: pytest.CaptureFixture[str]
):
    async with await psycopg.AsyncConnection.connect(appointment_db_url) as connection:
        await connection.execute("SET session_replication_role = replica")
        await connection.execute("UPDATE event SET actor_role = 'nobody' WHERE event_id = 2")
    assert await run("verify", *history_of_three) == 1
    first, last = capsys.readouterr().out.splitlines()
    assert first == "CHANGED    2 (event 2): the record, its place or its hash is not what was linked"
    assert last.endswith("faults: 1")


async def test_an_anchor_of_another_history_is_missed(history_of_three: list[str], capsys: pytest.CaptureFixture[str]):
    assert await run("verify", "--expect", f"5:{'0' * 64}", *history_of_three) == 1
    assert capsys.readouterr().out.startswith("CUT        4 to 5: the anchor 5:0000")


async def test_what_is_no_anchor_is_not_understood(history_of_three: list[str], capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit, match="2"):
        await run("verify", "--expect", "5", *history_of_three)
    assert "5 is no anchor such as" in capsys.readouterr().err
