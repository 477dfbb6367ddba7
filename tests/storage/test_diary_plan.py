"""A diary is read by index: a refusal may cost something, but never a walk through everybody's visits."""

import json
from datetime import timedelta
from uuid import uuid4

from appointment_svc.storage.diaries import QUERIES
from chassis.sql import Query
from tests.fix_ledger import TEN, LedgerBench, draft, order

# One visit a doctor and patient; nothing here is ever asked for, it only makes the tables large.
FILL = Query(
    "fill",
    """
    WITH made AS (
        INSERT INTO appointment (
            appointment_id, patient_id, doctor_id, status, kind, start_time, end_time, buffer_minutes, seat, timezone,
            specialty_required, patient_notes, match_score, is_preferred_doctor, version, create_time, update_time
        )
        SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'CONFIRMED', 'FollowUp', s, s + '20 min', 10, 0,
               'UTC', '', '', 0.5, false, 1, s, s
        FROM generate_series(1, 20000) n, LATERAL (SELECT timestamptz '2026-03-01Z' + n * interval '1 min' AS s) t
        RETURNING appointment_id, patient_id, doctor_id, start_time, end_time
    ), doctors AS (
        INSERT INTO doctor_claim (doctor_id, appointment_id, kind, seat, capacity, occupied, day)
        SELECT doctor_id, appointment_id, 'FollowUp', 0, 1, tstzrange(start_time, end_time), start_time::date FROM made
    )
    INSERT INTO patient_claim (patient_id, appointment_id, during, day, day_ordinal, day_limit)
    SELECT patient_id, appointment_id, tstzrange(start_time, end_time), start_time::date, 0, 3 FROM made
    """,
)


async def test_a_diary_is_read_by_index(bench: LedgerBench):
    doctor, patient = str(uuid4()), str(uuid4())
    await bench.ledger.book(order([draft(doctor_id=doctor, patient_id=patient)]))
    await bench.database.execute(FILL)
    await bench.database.execute(Query("analyze", "ANALYZE"))
    values = {
        "doctor_ids": [doctor, str(uuid4())],
        "patient_id": patient,
        "earliest": TEN - timedelta(days=1),
        "latest": TEN + timedelta(days=7),
        "lead": timedelta(),
    }
    plan = await bench.database.one(Query("explain", f"EXPLAIN (FORMAT JSON) {QUERIES['read_diary'].text}"), values)
    assert plan is not None
    assert "Seq Scan" not in json.dumps(plan), json.dumps(plan, indent=1)
    diary = await bench.diaries.read([doctor], patient, TEN - timedelta(days=1), TEN + timedelta(days=7))
    assert [claim.start for claim in (*diary.doctors[doctor], *diary.patient)] == [TEN, TEN]
