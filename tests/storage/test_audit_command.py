"""`telemed audit` on a database: what it prints, and what its exit code says."""

import asyncio
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from appointment_svc.storage.rows import QUERIES
from chassis.access_log import PostgresAccessLog
from chassis.accesses import Access, Action
from chassis.context import Caller, Role
from stack.cli import main
from tests.fix_ledger import NOW, LedgerBench, draft, order

PATIENT, DOCTOR, VISIT = (str(uuid4()) for _ in range(3))


def access_of(doctor: str, emergency: str = "") -> Access:
    """A doctor has looked at a visit of the patient's."""
    caller = Caller(doctor, Role.DOCTOR, "", purpose_reason=emergency)
    method = "telemed.appointment.v1.AppointmentService/GetAppointment"
    return Access(method, Action.READ, "Appointment", (VISIT,), (PATIENT,), "", caller, "OK", "", "")


@pytest.fixture
def arguments(
    appointment_db_url: str, doctor_db_url: str, video_db_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> list[str]:
    """What leads the command to the databases of this test."""
    urls = {"APPOINTMENT": appointment_db_url, "DOCTOR": doctor_db_url, "VIDEO": video_db_url}
    for service, url in urls.items():
        monkeypatch.setenv(f"TELEMED_{service}_DATABASE_URL", url)
    return ["--data", str(tmp_path)]


@pytest.fixture
async def history_of_three(bench: LedgerBench, arguments: list[str]) -> list[str]:
    """Three events and two accesses; the arguments that lead the command to them."""
    for _ in range(3):
        await bench.ledger.book(order([draft(doctor_id=str(uuid4()), patient_id=str(uuid4()))]))
    await bench.database.one(QUERIES["sequence_events"], {"batch_size": 500})
    log = PostgresAccessLog(bench.database, lambda: NOW)
    await log.write(access_of(DOCTOR))
    await log.write(access_of(DOCTOR, "found unconscious"))
    return arguments


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
    assert [line.partition(" in ")[0] for line in printed.splitlines()] == [
        "2 accesses",
        "0 accesses",
        "0 accesses",
        "3 events",
    ]
    assert printed.endswith(f"head {anchor}; the history is whole\n")


async def test_verify_names_what_was_touched_and_exits_with_1(
    history_of_three: list[str], appointment_db_url: str, capsys: pytest.CaptureFixture[str]
):
    async with await psycopg.AsyncConnection.connect(appointment_db_url) as connection:
        await connection.execute("SET session_replication_role = replica")
        await connection.execute("UPDATE event SET actor_role = 'nobody' WHERE event_id = 2")
    assert await run("verify", *history_of_three) == 1
    *_, first, last = capsys.readouterr().out.splitlines()
    assert first == "CHANGED    2 (event 2): the record, its place or its hash is not what was linked"
    assert last.endswith("faults: 1")


async def test_an_anchor_of_another_history_is_missed(history_of_three: list[str], capsys: pytest.CaptureFixture[str]):
    assert await run("verify", "--expect", f"5:{'0' * 64}", *history_of_three) == 1
    assert "CUT        4 to 5: the anchor 5:0000" in capsys.readouterr().out


async def test_the_accesses_of_a_service_are_a_chain_of_their_own(
    history_of_three: list[str], appointment_db_url: str, capsys: pytest.CaptureFixture[str]
):
    assert await run("head", "--chain", "appointment-accesses", *history_of_three) == 0
    anchor = capsys.readouterr().out.strip()
    assert await run("verify", "--expect", f"appointment-accesses={anchor}", *history_of_three) == 0
    async with await psycopg.AsyncConnection.connect(appointment_db_url) as connection:
        await connection.execute("SET session_replication_role = replica")
        await connection.execute("UPDATE access SET outcome = 'NOT_FOUND' WHERE number = 1")
    capsys.readouterr()
    assert await run("verify", *history_of_three) == 1
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert first == "CHANGED    access 1: the record, its place or its hash is not what was linked"
    assert second.endswith("faults: 1")


async def test_who_looked_is_listed_by_patient_and_who_broke_the_glass_at_once(
    history_of_three: list[str], capsys: pytest.CaptureFixture[str]
):
    assert await run("list", "--patient", PATIENT, *history_of_three) == 0
    latest, first = capsys.readouterr().out.splitlines()
    assert f"AppointmentService/GetAppointment  R  doctor {DOCTOR}  TREAT  Appointment {VISIT}  OK" in first
    assert latest.endswith("  BTG  Appointment " + VISIT + "  OK  GLASS BROKEN: found unconscious")
    assert await run("list", "--break-glass", *history_of_three) == 0
    assert capsys.readouterr().out.splitlines() == [latest]
    assert await run("list", "--patient", str(uuid4()), *history_of_three) == 0
    assert capsys.readouterr().out == ""


async def test_what_is_no_anchor_is_not_understood(history_of_three: list[str], capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit, match="2"):
        await run("verify", "--expect", "5", *history_of_three)
    assert "5 is no anchor such as" in capsys.readouterr().err


async def test_a_noted_run_is_kept_with_its_head(history_of_three: list[str], appointment_db_url: str):
    assert await run("verify", "--note", *history_of_three) == 0
    with psycopg.connect(appointment_db_url) as connection:
        [(checked, faults, head)] = connection.execute("SELECT checked, faults, head FROM audit_run").fetchall()
    assert (checked, faults) == (3, 0)
    assert head.startswith("3:")
