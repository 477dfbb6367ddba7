"""The ledger: nobody is booked twice, whoever comes first."""

import asyncio
from collections import Counter
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest

from appointment_svc.app.ports import Outcome, RequestKey
from appointment_svc.storage.rows import QUERIES
from chassis.saved_answers import KEPT_FOR, Forgetting
from chassis.sql import Query
from kernel.appointment_types import AppointmentType
from kernel.errors import IdempotencyKeyReused
from tests.fix_ledger import NOW, TEN, LedgerBench, draft, order

COUNT = Query(
    "count_everything",
    """SELECT (SELECT count(*) FROM appointment) AS appointments, (SELECT count(*) FROM doctor_claim) AS doctor_claims,
              (SELECT count(*) FROM patient_claim) AS patient_claims, (SELECT count(*) FROM event) AS events,
              (SELECT count(*) FROM idempotency) AS keys""",
)
DEADLOCKS = Query("deadlocks", "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")


async def outcome_of(bench: LedgerBench, **visit: object) -> Outcome:
    return (await bench.ledger.book(order([draft(**visit)]))).outcome  # type: ignore[arg-type]


async def counts(bench: LedgerBench) -> dict[str, int]:
    row = await bench.database.one(COUNT)
    assert row is not None
    return dict(row)


async def test_one_of_two_hundred_wins_a_slot_in_each_of_twenty_rounds_without_a_deadlock(bench: LedgerBench):
    doctor = str(uuid4())
    for round_number in range(20):
        start = TEN + timedelta(days=round_number)
        outcomes = await asyncio.gather(
            *(outcome_of(bench, doctor_id=doctor, patient_id=str(uuid4()), start=start) for _ in range(200))
        )
        assert Counter(outcomes) == {Outcome.BOOKED: 1, Outcome.SLOT_TAKEN: 199}
    row = await bench.database.one(DEADLOCKS)
    assert row is not None
    assert row["deadlocks"] == 0


async def test_overlapping_starts_are_the_same_race(bench: LedgerBench):
    doctor = str(uuid4())
    starts = [TEN + timedelta(minutes=offset) for offset in (0, 10, 20) for _ in range(30)]
    outcomes = await asyncio.gather(
        *(outcome_of(bench, doctor_id=doctor, patient_id=str(uuid4()), start=start) for start in starts)
    )
    assert Counter(outcomes) == {Outcome.BOOKED: 1, Outcome.SLOT_TAKEN: 89}


async def test_a_gap_of_exactly_the_buffer_is_free_and_a_minute_less_is_not(bench: LedgerBench):
    doctor = str(uuid4())

    async def at(minutes: int) -> Outcome:
        return await outcome_of(
            bench, doctor_id=doctor, patient_id=str(uuid4()), start=TEN + timedelta(minutes=minutes)
        )

    assert await at(0) is Outcome.BOOKED
    assert await at(39) is Outcome.SLOT_TAKEN
    assert await at(40) is Outcome.BOOKED
    assert await at(-39) is Outcome.SLOT_TAKEN
    assert await at(-40) is Outcome.BOOKED


async def test_a_capacity_of_three_takes_three_of_one_kind_and_none_of_another(bench: LedgerBench):
    doctor = str(uuid4())
    group = {"doctor_id": doctor, "capacity": 3, "kind": AppointmentType.GROUP_SESSION}
    outcomes = await asyncio.gather(*(outcome_of(bench, patient_id=str(uuid4()), **group) for _ in range(40)))
    assert Counter(outcomes) == {Outcome.BOOKED: 3, Outcome.SLOT_TAKEN: 37}
    assert await outcome_of(bench, doctor_id=doctor, patient_id=str(uuid4())) is Outcome.SLOT_TAKEN


async def test_a_patient_is_never_in_two_visits_at_once_and_the_refusal_leaves_nothing(bench: LedgerBench):
    patient = str(uuid4())
    outcomes = await asyncio.gather(*(outcome_of(bench, doctor_id=str(uuid4()), patient_id=patient) for _ in range(30)))
    assert Counter(outcomes) == {Outcome.BOOKED: 1, Outcome.PATIENT_BUSY: 29}
    assert await counts(bench) == {"appointments": 1, "doctor_claims": 1, "patient_claims": 1, "events": 1, "keys": 0}


async def test_the_daily_limit_holds_against_twenty_bookings_at_once(bench: LedgerBench):
    patient = str(uuid4())
    starts = [TEN + timedelta(minutes=30 * n) for n in range(20)]
    outcomes = await asyncio.gather(
        *(outcome_of(bench, doctor_id=str(uuid4()), patient_id=patient, start=start) for start in starts)
    )
    assert Counter(outcomes) == {Outcome.BOOKED: 3, Outcome.DAILY_LIMIT_REACHED: 17}
    assert (await counts(bench))["doctor_claims"] == 3


async def test_the_first_free_candidate_is_booked_and_its_answer_saved(bench: LedgerBench):
    doctor, other, patient = str(uuid4()), str(uuid4()), str(uuid4())
    assert await outcome_of(bench, doctor_id=doctor, patient_id=str(uuid4())) is Outcome.BOOKED
    drafts = [
        draft(doctor_id=doctor, patient_id=patient, answer=b"first"),
        draft(doctor_id=other, patient_id=patient, answer=b"second"),
        draft(doctor_id=other, patient_id=patient, start=TEN + timedelta(hours=1), answer=b"third"),
    ]
    verdict = await bench.ledger.book(order(drafts))
    assert (verdict.outcome, verdict.draft, verdict.answer) == (Outcome.BOOKED, 1, b"second")


async def test_a_candidate_at_which_the_patient_is_busy_is_passed_over(bench: LedgerBench):
    patient = str(uuid4())
    assert await outcome_of(bench, doctor_id=str(uuid4()), patient_id=patient) is Outcome.BOOKED
    later = TEN + timedelta(hours=2)
    drafts = [
        draft(doctor_id=str(uuid4()), patient_id=patient),
        draft(doctor_id=str(uuid4()), patient_id=patient, start=later),
    ]
    verdict = await bench.ledger.book(order(drafts))
    assert (verdict.outcome, verdict.draft) == (Outcome.BOOKED, 1)


async def test_twenty_calls_with_one_key_make_one_appointment_and_get_one_answer(bench: LedgerBench):
    doctor, patient, key = str(uuid4()), str(uuid4()), RequestKey("key-1", b"same wish")

    async def call(number: int):
        one = draft(doctor_id=doctor, patient_id=patient, answer=f"answer {number}".encode())
        return await bench.ledger.book(order([one], key=key))

    verdicts = await asyncio.gather(*(call(number) for number in range(20)))
    assert Counter(v.outcome for v in verdicts) == {Outcome.BOOKED: 1, Outcome.REPLAYED: 19}
    assert len({v.answer for v in verdicts}) == 1
    assert (await counts(bench))["appointments"] == 1


async def test_a_key_that_comes_with_another_wish_is_refused(bench: LedgerBench):
    first = draft(doctor_id=str(uuid4()), patient_id=str(uuid4()))
    await bench.ledger.book(order([first], key=RequestKey("key-2", b"one wish")))
    with pytest.raises(IdempotencyKeyReused):
        await bench.ledger.book(order([first], key=RequestKey("key-2", b"another wish")))


async def test_a_refusal_does_not_use_up_its_key(bench: LedgerBench):
    doctor, key = str(uuid4()), RequestKey("key-3", b"wish")
    await outcome_of(bench, doctor_id=doctor, patient_id=str(uuid4()))
    taken = await bench.ledger.book(order([draft(doctor_id=doctor, patient_id=str(uuid4()))], key=key))
    free = await bench.ledger.book(order([draft(doctor_id=str(uuid4()), patient_id=str(uuid4()))], key=key))
    assert (taken.outcome, free.outcome) == (Outcome.SLOT_TAKEN, Outcome.BOOKED)


async def test_old_answers_are_forgotten_and_young_ones_kept(bench: LedgerBench):
    key = RequestKey("key-4", b"wish")
    await bench.ledger.book(order([draft(doctor_id=str(uuid4()), patient_id=str(uuid4()))], key=key))
    now = NOW + KEPT_FOR
    forgetting = Forgetting(bench.database, QUERIES["forget_requests"], lambda: now)
    assert await forgetting.once() == 0
    now += timedelta(seconds=1)
    assert await forgetting.once() == 1
    assert (await counts(bench))["keys"] == 0


@pytest.mark.parametrize("statement", ["UPDATE event SET reason = 'x'", "DELETE FROM event", "TRUNCATE event CASCADE"])
async def test_history_cannot_be_changed(bench: LedgerBench, statement: str):
    await outcome_of(bench, doctor_id=str(uuid4()), patient_id=str(uuid4()))
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
        await bench.database.execute(Query("tamper", statement))
