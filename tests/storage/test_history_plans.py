"""Lists, histories and figures go through an index that is made for them, the first page and the last alike."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from appointment_svc.app.ports import FeedReader, ListFilter, PagePosition
from appointment_svc.domain.changes import Change
from appointment_svc.storage.rows import QUERIES
from chassis.db import Session
from chassis.sql import Query
from kernel.appointment_status import AppointmentStatus
from kernel.appointment_types import AppointmentType
from tests.fix_ledger import LedgerBench

MANY = 5_000
NEWEST = datetime(2026, 1, 1, tzinfo=UTC)
APPOINTMENTS = Query(
    "appointments",
    """INSERT INTO appointment (
           appointment_id, patient_id, doctor_id, status, kind, start_time, end_time, buffer_minutes, seat, timezone,
           specialty_required, patient_notes, match_score, is_preferred_doctor, version, create_time, update_time
       )
       SELECT gen_random_uuid(), md5('p' || n %% 100)::uuid, md5('d' || n %% 90)::uuid,
              (CASE WHEN n %% 100 = 7 THEN 'NO_SHOW' ELSE 'COMPLETED' END)::appointment_status,
              (CASE WHEN n %% 100 = 9 THEN 'FollowUp' ELSE 'MentalHealth' END)::appointment_kind,
              %(newest)s - n * interval '1 hour',
              %(newest)s - n * interval '1 hour' + interval '30 minutes', 0, 0, 'UTC', '', '', 0.5, false, 1,
              %(newest)s, %(newest)s
       FROM generate_series(1, %(many)s::int) n""",
)
EVENTS = Query(
    "events",
    """WITH told AS (
           INSERT INTO event (appointment_id, version, kind, event_time, patient_id, doctor_id, actor_subject,
                              actor_role, reason, after, traceparent)
           SELECT appointment_id, 1, 'BOOKED', now(), patient_id, doctor_id, '', 'admin', '',
                  appointment_snapshot(appointment), ''
           FROM appointment RETURNING event_id
       ) INSERT INTO event_pending SELECT event_id FROM told""",
)
ONE = Query(
    "one",
    """SELECT appointment_id::text, patient_id::text, doctor_id::text FROM appointment
       ORDER BY start_time OFFSET 100 LIMIT 1""",
)


@pytest.fixture
async def clinic(bench: LedgerBench) -> LedgerBench:
    await bench.database.execute(APPOINTMENTS, {"many": MANY, "newest": NEWEST})
    await bench.database.execute(EVENTS)
    while await bench.database.one(QUERIES["sequence_events"], {"batch_size": 5000}) != {"numbered": 0}:
        continue
    await bench.database.execute(Query("analyze", "ANALYZE"))
    return bench


# What is asked is not which way the planner likes best with few rows, but whether an index gives the rows in order.
IN_ORDER = Query(
    "in_order",
    """SELECT set_config(name, 'off', true)
       FROM unnest('{enable_seqscan, enable_bitmapscan, enable_sort, enable_incremental_sort}'::text[]) AS name""",
)


async def plans_of(bench: LedgerBench, monkeypatch: pytest.MonkeyPatch, call: Any) -> str:
    """The plans of the statements that a call runs."""
    plans: list[str] = []

    async def explained(_: Session, query: Query, params: Any = ()) -> list[Any]:
        async with bench.database.transaction() as session:
            await session.execute(IN_ORDER)
            plans.extend(
                row["QUERY PLAN"] for row in await run(session, Query(query.name, f"EXPLAIN {query.text}"), params)
            )
        return []

    run = Session.all
    with monkeypatch.context() as patch:
        patch.setattr(Session, "all", explained)
        await call()
    return "\n".join(plans)


MISSED, FOLLOW_UP = AppointmentStatus.NO_SHOW, AppointmentType.FOLLOW_UP
WINDOW = {"since": NEWEST - timedelta(hours=MANY), "until": NEWEST - timedelta(days=30)}
INDEXES: list[tuple[dict[str, Any], str]] = [
    ({}, "appointment_by_start"),
    (WINDOW, "appointment_by_start"),
    ({"patient_id": ""}, "appointment_by_patient"),
    ({"patient_id": "", **WINDOW}, "appointment_by_patient"),
    ({"doctor_id": ""}, "appointment_by_doctor"),
    ({"doctor_id": "", **WINDOW}, "appointment_by_doctor"),
    ({"status": MISSED}, "appointment_by_status"),
    ({"status": MISSED, **WINDOW}, "appointment_by_status"),
    ({"kind": FOLLOW_UP}, "appointment_by_kind"),
    ({"kind": FOLLOW_UP, **WINDOW}, "appointment_by_kind"),
]


@pytest.mark.parametrize("is_last", [False, True], ids=["first page", "last page"])
async def test_a_page_of_a_list_is_read_from_its_index_in_order(
    clinic: LedgerBench, monkeypatch: pytest.MonkeyPatch, is_last: bool
):
    one = await clinic.database.one(ONE)
    assert one is not None
    after = PagePosition(NEWEST - timedelta(hours=MANY - 60), one["appointment_id"]) if is_last else None
    for fields, index in INDEXES:
        wanted = ListFilter(**{name: value or one[name] for name, value in fields.items()})
        plan = await plans_of(clinic, monkeypatch, lambda wanted=wanted: clinic.appointments.page(wanted, after, 10))
        assert f"Index Scan using {index} " in plan, plan
        assert "Sort" not in plan, plan
        if is_last:
            bounds = plan.split("Index Cond")[1].split("Filter")[0]
            assert "ROW(start_time, appointment_id) < " in bounds, plan
            assert "(start_time < '" not in bounds, f"the weaker bound would be where the reading starts: {plan}"


async def test_a_persons_changes_are_read_from_the_feed_of_that_person(
    clinic: LedgerBench, monkeypatch: pytest.MonkeyPatch
):
    one = await clinic.database.one(ONE)
    assert one is not None
    for reader, index in (
        (FeedReader(patient_id=one["patient_id"]), "feed_by_patient"),
        (FeedReader(doctor_id=one["doctor_id"]), "feed_by_doctor"),
        (FeedReader(), "feed_pkey"),
        (FeedReader(kinds=frozenset({Change.CANCELLED})), "feed_pkey"),
    ):
        plan = await plans_of(clinic, monkeypatch, lambda reader=reader: clinic.feed.read(reader, 0, 500))
        assert index in plan, plan
        assert "Sort" not in plan, plan
