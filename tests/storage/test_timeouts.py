"""The clocks: who is due and who is not yet, each change once however many replicas run them, and cheap when idle."""

import asyncio
import os
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from appointment_svc.app.let_time_pass import LetTimePass
from appointment_svc.domain.appointment import Appointment
from appointment_svc.domain.rules import Rules
from appointment_svc.domain.timeouts import DOCTOR_DID_NOT_APPROVE, DOCTOR_DID_NOT_COME, Timeout, timeouts
from appointment_svc.storage.imports import ImportedAppointment, import_appointments
from appointment_svc.storage.timeouts import QUERIES, PostgresTimeouts
from chassis.db import Database
from chassis.signals import Signal
from chassis.sql import Query
from kernel.appointment_status import AppointmentStatus
from tests.fix_ledger import NOW, TEN, LedgerBench, draft
from tests.fix_stack import ROOT

AN_INSTANT = timedelta(microseconds=1)
HALF_AN_HOUR = timedelta(minutes=30)
END = TEN + HALF_AN_HOUR
TABLE = {row.name: row for row in timeouts(Rules())}
CONFIRMED, CANCELLED = AppointmentStatus.CONFIRMED, AppointmentStatus.CANCELLED
SUMMARY = Query(
    "summary",
    """SELECT status::text, cancel_reason, count(*)::int AS visits,
              count(*) FILTER (WHERE version = 2 AND events = 2)::int AS changed_once,
              count(d.doctor_id)::int + count(p.patient_id)::int AS claims
       FROM appointment a
       LEFT JOIN doctor_claim d USING (appointment_id)
       LEFT JOIN patient_claim p USING (appointment_id)
       JOIN (SELECT appointment_id, count(*) AS events FROM event GROUP BY 1) e USING (appointment_id)
       GROUP BY 1, 2 ORDER BY 1""",
)
LAST_EVENT = Query(
    "last_event",
    """SELECT kind, actor_subject, actor_role, reason, event_time FROM event
       WHERE appointment_id = %(id)s::uuid ORDER BY version DESC LIMIT 1""",
)


def visit(status: AppointmentStatus, number: int = 0, **fields: object) -> ImportedAppointment:
    """A visit of somebody with somebody, at ten."""
    one = draft(doctor_id=str(uuid4()), patient_id=str(uuid4()), start=TEN + timedelta(days=number))
    return ImportedAppointment(replace(one.appointment, status=status, **fields), one.day)  # type: ignore[arg-type]


async def given(bench: LedgerBench, *visits: ImportedAppointment) -> list[str]:
    await import_appointments(bench.database, visits, NOW)
    return [one.appointment.id for one in visits]


async def found(bench: LedgerBench, appointment_id: str) -> Appointment:
    one = await bench.appointments.get(appointment_id)
    assert one is not None
    return one


def clock(bench: LedgerBench, name: str, *, batch: int = 200, database: Database | None = None) -> LetTimePass:
    return LetTimePass(PostgresTimeouts(database or bench.database, Signal()), bench.holds, TABLE[name], batch)


@pytest.mark.parametrize(
    ("name", "status", "arrival", "due", "becomes", "reason"),
    [
        ("hold_runs_out", AppointmentStatus.HELD, None, NOW + HALF_AN_HOUR, AppointmentStatus.EXPIRED, ""),
        ("approval_never_came", AppointmentStatus.PENDING, None, TEN, CANCELLED, DOCTOR_DID_NOT_APPROVE),
        ("patient_never_came", CONFIRMED, None, TEN + HALF_AN_HOUR, AppointmentStatus.NO_SHOW, ""),
        ("doctor_never_came", CONFIRMED, TEN, END + HALF_AN_HOUR, CANCELLED, DOCTOR_DID_NOT_COME),
        ("visit_ends", AppointmentStatus.IN_PROGRESS, None, END + HALF_AN_HOUR, AppointmentStatus.COMPLETED, ""),
    ],
)
async def test_a_visit_is_settled_at_its_instant_and_not_before(
    bench: LedgerBench,
    *,
    name: str,
    status: AppointmentStatus,
    arrival: datetime | None,
    due: datetime,
    becomes: AppointmentStatus,
    reason: str,
):
    (one,) = await given(
        bench, visit(status, hold_expire_time=NOW + HALF_AN_HOUR if status is AppointmentStatus.HELD else None)
    )
    if arrival is not None:
        await bench.database.execute(Query("arrive", "UPDATE appointment SET patient_arrival_time = %s"), [arrival])
    settle = PostgresTimeouts(bench.database, Signal()).settle
    assert await settle(TABLE[name], due - AN_INSTANT, 9) == 0
    for other in set(TABLE) - {name}:
        assert await settle(TABLE[other], due, 9) == 0, other
    assert await settle(TABLE[name], due, 9) == 1
    assert await settle(TABLE[name], due, 9) == 0
    ended = await found(bench, one)
    assert (ended.status, ended.cancel_reason, ended.version, ended.update_time) == (becomes, reason, 2, due)
    assert await bench.database.one(LAST_EVENT, {"id": one}) == {
        "kind": becomes.value, "actor_subject": "clock", "actor_role": "service", "reason": reason, "event_time": due,
    }  # fmt: skip
    (row,) = await bench.database.all(SUMMARY)
    assert row["claims"] == 0


@pytest.mark.parametrize("name", TABLE)
async def test_each_clock_touches_its_own_state_and_no_other_however_late_it_is(bench: LedgerBench, name: str):
    ids = dict(zip(AppointmentStatus, await given(bench, *map(visit, AppointmentStatus)), strict=True))
    (attended,) = await given(bench, visit(CONFIRMED))
    arrive = Query("arrive", "UPDATE appointment SET patient_arrival_time = %s WHERE appointment_id = %s::uuid")
    await bench.database.execute(arrive, [TEN, attended])
    run_out = Query("run_out", "UPDATE appointment SET hold_expire_time = %s WHERE status = 'HELD'")
    await bench.database.execute(run_out, [NOW])
    bench.now[0] = END + timedelta(days=400)
    assert await clock(bench, name)() == 1
    mine = {
        "hold_runs_out": ids[AppointmentStatus.HELD],
        "approval_never_came": ids[AppointmentStatus.PENDING],
        "patient_never_came": ids[CONFIRMED],
        "doctor_never_came": attended,
        "visit_ends": ids[AppointmentStatus.IN_PROGRESS],
    }[name]
    changed = {one for one in (*ids.values(), attended) if (await found(bench, one)).version == 2}
    assert changed == {mine}


async def test_an_imported_hold_without_an_end_never_runs_out(bench: LedgerBench):
    await given(bench, visit(AppointmentStatus.HELD))
    bench.now[0] = END + timedelta(days=400)
    assert await clock(bench, "hold_runs_out")() == 0


@pytest.mark.parametrize("name", ["patient_never_came", "visit_ends"])
async def test_three_replicas_at_once_settle_five_hundred_visits_once_each(bench: LedgerBench, name: str):
    status = CONFIRMED if name == "patient_never_came" else AppointmentStatus.IN_PROGRESS
    await given(bench, *(visit(status, number) for number in range(500)))
    bench.now[0] = TEN + timedelta(days=600)
    settled = await asyncio.gather(*(clock(bench, name, batch=20)() for _ in range(3)))
    # A replica that finds fewer than a batch because others have it in hand goes home; the next round has the rest.
    settled.append(await clock(bench, name)())
    assert sum(settled) == 500
    assert sum(count > 0 for count in settled[:3]) >= 2, settled
    (row,) = await bench.database.all(SUMMARY)
    assert (row["status"], row["visits"], row["changed_once"], row["claims"]) == (
        TABLE[name].becomes.value, 500, 500, 0,
    )  # fmt: skip


KILLED = """
import asyncio, sys
from datetime import datetime
from appointment_svc.domain.rules import Rules
from appointment_svc.domain.timeouts import timeouts
from appointment_svc.storage.timeouts import PostgresTimeouts
from chassis.db import Database
from chassis.signals import Signal

async def main(url, now):
    database = Database(url, size=2)
    await database.open()
    row = next(row for row in timeouts(Rules()) if row.name == "patient_never_came")
    while await PostgresTimeouts(database, Signal()).settle(row, now, 5):
        print("settled", flush=True)

asyncio.run(main(sys.argv[1], datetime.fromisoformat(sys.argv[2])))
"""


async def test_a_process_that_is_killed_amid_its_work_leaves_nothing_half_done(
    bench: LedgerBench, appointment_db_url: str, tmp_path: Path
):
    await given(bench, *(visit(CONFIRMED, number) for number in range(1000)))
    bench.now[0] = now = TEN + timedelta(days=1100)
    script = tmp_path / "replica.py"
    script.write_text(KILLED)
    replica = await asyncio.create_subprocess_exec(
        *(sys.executable, str(script), appointment_db_url, now.isoformat()),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'gen'}"},
    )
    assert replica.stdout is not None
    await replica.stdout.readline()
    replica.kill()
    await replica.wait()
    rest = [await clock(bench, "patient_never_came")() for _ in range(2)]
    assert 0 < sum(rest) < 1000, "it was killed before it was done"
    (row,) = await bench.database.all(SUMMARY)
    assert (row["status"], row["visits"], row["changed_once"], row["claims"]) == ("NO_SHOW", 1000, 1000, 0)


@pytest.mark.parametrize(
    ("name", "status", "index"),
    [
        ("hold_runs_out", AppointmentStatus.HELD, "appointment_held"),
        ("approval_never_came", AppointmentStatus.PENDING, "appointment_pending"),
        ("patient_never_came", CONFIRMED, "appointment_awaited"),
        ("doctor_never_came", CONFIRMED, "appointment_attended"),
        ("visit_ends", AppointmentStatus.IN_PROGRESS, "appointment_in_progress"),
    ],
)
async def test_who_is_due_is_found_by_an_index_of_those_who_can_be(
    bench: LedgerBench, name: str, status: AppointmentStatus, index: str
):
    await given(bench, *(visit(AppointmentStatus.COMPLETED, number) for number in range(1500)))
    # Many who can be due, and are not yet.
    later = {"hold_expire_time": TEN + timedelta(days=900)} if status is AppointmentStatus.HELD else {}
    await given(bench, *(visit(status, number, **later) for number in range(500)))
    if name == "doctor_never_came":
        await bench.database.execute(Query("arrive", "UPDATE appointment SET patient_arrival_time = %s"), [TEN])
    await bench.database.execute(Query("analyze", "ANALYZE appointment"))
    row: Timeout = TABLE[name]
    params = {"due": NOW, "most": 200, "becomes": row.becomes.value, "reason": "", "now": NOW, "actor": "clock"}
    plan = await bench.database.all(Query("explain", f"EXPLAIN {QUERIES[name].text}"), params)
    text = "\n".join(line["QUERY PLAN"] for line in plan)
    assert f"Index Scan using {index} " in text, text
