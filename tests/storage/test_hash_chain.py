"""The history as a chain: what the database links is what the code computes, and whatever is tampered with is found."""

import asyncio
import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from appointment_svc.storage.audit import CHAIN, auditing, read_head
from appointment_svc.storage.rows import QUERIES
from chassis.chain_walk import Anchor, Fault, Finding
from chassis.hash_chain import first_anchor, parse_record, record_digest
from chassis.sql import Query
from tests.fix_ledger import NOW, TEN, LedgerBench, draft, order

EVENTS = 12
CHANGED, MISSING, CUT = Finding.CHANGED, Finding.MISSING, Finding.CUT
REWRITTEN, UNLINKED = Finding.REWRITTEN, Finding.UNLINKED


async def sequence(bench: LedgerBench, batch_size: int = 500) -> int:
    row = await bench.database.one(QUERIES["sequence_events"], {"batch_size": batch_size})
    assert row is not None
    return int(row["numbered"])


async def book(bench: LedgerBench, count: int) -> None:
    for number in range(count):
        one = draft(doctor_id=str(uuid4()), patient_id=str(uuid4()), start=TEN + timedelta(hours=number))
        await bench.ledger.book(order([one]))


@dataclass(frozen=True)
class History:
    """Twelve events, numbered and linked, and a superuser whom no trigger stops."""

    url: str
    bench: LedgerBench

    async def tamper(self, *statements: str) -> None:
        async with await psycopg.AsyncConnection.connect(self.url) as connection:
            await connection.execute("SET session_replication_role = replica")
            for statement in statements:
                cursor = await connection.execute(statement)  # type: ignore[arg-type]  # a test's own text
                assert cursor.rowcount, f"nothing was changed by {statement}"

    async def faults(self, *expected: Anchor) -> list[Fault]:
        async with auditing(self.url) as audit:
            return [fault async for fault in audit.faults(expected)]

    async def found(self, *expected: Anchor) -> list[tuple[Finding, str]]:
        return [(fault.finding, fault.where) for fault in await self.faults(*expected)]


@pytest.fixture
async def history(bench: LedgerBench, appointment_db_url: str) -> History:
    await book(bench, EVENTS)
    while await sequence(bench, 5):
        pass
    return History(appointment_db_url, bench)


async def test_an_untouched_history_is_whole_and_its_head_is_known(history: History):
    head = await read_head(history.url)
    assert head.number == EVENTS
    assert await history.faults(head) == []
    await book(history.bench, 1)
    assert await history.faults(head) == [], "what waits for its number is no fault"
    await sequence(history.bench)
    assert await history.faults(head, await read_head(history.url)) == []


async def test_an_empty_history_is_whole_and_ends_at_the_digest_of_its_name(appointment_db_url: str):
    assert await read_head(appointment_db_url) == Anchor(0, first_anchor(CHAIN))
    async with auditing(appointment_db_url) as audit:
        assert [fault async for fault in audit.faults()] == []


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("UPDATE event SET after = jsonb_set(after, '{seat}', '1') WHERE event_id = 5", [(CHANGED, 5)]),
        ('UPDATE event SET after = after || \'{"seat": "0"}\' WHERE event_id = 5', [(CHANGED, 5)]),
        ("UPDATE event SET after = after - 'seat' WHERE event_id = 5", [(CHANGED, 5)]),
        ("UPDATE event SET after = after || '{\"a\": 1}' WHERE event_id = 5", [(CHANGED, 5)]),
        ("UPDATE event SET before = '{}' WHERE event_id = 5", [(CHANGED, 5)]),
        ("UPDATE event SET event_time = event_time + interval '1 microsecond' WHERE event_id = 1", [(CHANGED, 1)]),
        ("UPDATE feed SET hash = set_byte(hash, 7, (get_byte(hash, 7) + 1) % 256) WHERE revision = 6", [(CHANGED, 6)]),
        ("UPDATE feed SET patient_id = gen_random_uuid() WHERE revision = 6", [(CHANGED, 6)]),
        ("UPDATE feed SET doctor_id = gen_random_uuid() WHERE revision = 6", [(CHANGED, 6)]),
        ("DELETE FROM event WHERE event_id = 7", [(MISSING, 7)]),
    ],
)
async def test_a_row_changed_or_taken_out_is_found_and_no_other_is_blamed(
    history: History, statement: str, expected: list[tuple[Finding, int]]
):
    await history.tamper(statement)
    assert await history.found() == [(finding, f"{number} (event {number})") for finding, number in expected]


OTHER_VALUES = {
    "uuid": "gen_random_uuid()",
    "integer": "99",
    "text": "'other'",
    "jsonb": """'{"other": true}'""",
    "bytea": "'other'",
    "timestamp with time zone": "now()",
    "ARRAY": "'{other}'",
}
COLUMNS = Query(
    "columns",
    "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'event' ORDER BY 1",
)


async def test_every_column_of_an_event_is_covered_by_its_hash(history: History):
    """Records are hashed whole: a column that is added later is covered too, or this fails."""
    columns = [row for row in await history.bench.database.all(COLUMNS) if row["column_name"] != "event_id"]
    await book(history.bench, len(columns) - EVENTS + 2)
    await sequence(history.bench)
    for number, column in enumerate(columns, start=2):
        other = OTHER_VALUES[column["data_type"]]
        await history.tamper(f"UPDATE event SET {column['column_name']} = {other} WHERE event_id = {number}")
    blamed = {int(fault.where.split()[0]) for fault in await history.faults()}
    assert blamed == set(range(2, len(columns) + 2))


async def test_events_that_change_places_are_found(history: History):
    await history.tamper(
        "UPDATE feed SET event_id = -1 WHERE revision = 4",
        "UPDATE feed SET event_id = 4 WHERE revision = 9",
        "UPDATE feed SET event_id = 9 WHERE revision = 4",
    )
    assert await history.found() == [
        (CHANGED, "4 (event 9)"), (CHANGED, "4 (event 9)"), (CHANGED, "9 (event 4)"), (CHANGED, "9 (event 4)")
    ]  # fmt: skip


async def test_a_link_taken_out_is_found_even_when_those_behind_it_move_up(history: History):
    await history.tamper("DELETE FROM feed WHERE revision = 4")
    unlinked = [(finding, where.split(" (")[0]) for finding, where in await history.found()]
    assert unlinked == [(MISSING, "4"), (UNLINKED, "event 4")]
    await history.tamper(
        "UPDATE feed SET revision = -revision WHERE revision > 4",
        "UPDATE feed SET revision = -revision - 1 WHERE revision < 0",
        f"UPDATE feed_head SET revision = {EVENTS - 1}",
        "DELETE FROM event WHERE event_id = 4",
    )
    found = await history.found()
    assert [finding for finding, _ in found] == [CHANGED] * (EVENTS - 4)


async def test_an_event_slipped_in_behind_the_sequencer_is_found(history: History):
    copied = "appointment_id, 2, kind, event_time, patient_id, doctor_id, actor_subject, actor_role, reason, after"
    columns = copied.replace(" 2,", " version,")
    await history.tamper(
        f"INSERT INTO event ({columns}, traceparent) SELECT {copied}, '' FROM event WHERE event_id = 1"
    )
    ((finding, where),) = await history.found()
    assert (finding, where.split(" (")[0]) == (UNLINKED, f"event {EVENTS + 1}")


async def test_a_tail_cut_off_is_found_by_its_events_by_the_head_and_by_an_anchor(history: History):
    anchor = await read_head(history.url)
    await history.tamper("DELETE FROM feed WHERE revision > 10")
    found = [finding for finding, _ in await history.found()]
    assert found == [MISSING, UNLINKED, UNLINKED], "the head still says 12, and two events stand alone"
    await history.tamper("DELETE FROM event WHERE event_id > 10")
    assert await history.found() == [(MISSING, f"11 to {EVENTS}")]
    await history.tamper("UPDATE feed_head SET revision = 10")
    assert await history.found() == [(CHANGED, "head")], "its hash is that of a number that is gone"
    await history.tamper("UPDATE feed_head SET hash = (SELECT hash FROM feed WHERE revision = 10)")
    assert await history.found() == [], "in itself the shorter history is whole"
    assert await history.found(anchor) == [(CUT, f"11 to {EVENTS}")]


async def test_a_history_rewritten_with_new_hashes_is_found_by_an_anchor_alone(history: History):
    early, late = Anchor(3, await hash_of(history, 3)), await read_head(history.url)
    await history.tamper(
        "UPDATE event SET kind = 'CANCELLED' WHERE event_id = 5",
        """UPDATE feed SET hash = linked.hash FROM (
               SELECT f.revision, chain_hash(f.revision, event_digest(e), sha256('telemed.appointment.feed'))
                      OVER (ORDER BY f.revision) AS hash
               FROM feed f JOIN event e USING (event_id)
           ) AS linked WHERE linked.revision = feed.revision""",
        f"UPDATE feed_head SET hash = (SELECT hash FROM feed WHERE revision = {EVENTS})",
    )
    assert await history.found(early) == []
    assert await history.found(early, late) == [(REWRITTEN, f"{EVENTS} (event {EVENTS})")]


async def hash_of(history: History, number: int) -> bytes:
    row = await history.bench.database.one(
        Query("hash_of", "SELECT hash FROM feed WHERE revision = %(n)s"), {"n": number}
    )
    assert row is not None
    return bytes(row["hash"])


async def test_two_faults_far_apart_are_both_told(history: History):
    await history.tamper(
        "UPDATE event SET actor_role = 'nobody' WHERE event_id = 2", "DELETE FROM event WHERE event_id = 11"
    )
    assert await history.found() == [(CHANGED, "2 (event 2)"), (MISSING, "11 (event 11)")]


async def test_the_history_cannot_be_changed_by_accident(history: History):
    for statement in ("UPDATE feed SET event_id = 1", "DELETE FROM feed", "TRUNCATE feed", "DELETE FROM event"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
            await history.bench.database.execute(Query("tamper", statement))


async def test_the_words_of_an_event_stand_in_the_chain_as_a_salted_digest(history: History):
    bench = history.bench
    insert = """
        WITH written AS (
            INSERT INTO event (appointment_id, version, kind, event_time, patient_id, doctor_id, actor_subject,
                               actor_role, reason, after, traceparent)
            SELECT appointment_id, 2, 'CANCELLED', event_time, patient_id, doctor_id, actor_subject, actor_role,
                   'a "cold", Ärger\n', after, '' FROM event WHERE event_id = %(n)s RETURNING event_id
        ) INSERT INTO event_pending SELECT event_id FROM written"""
    for number in (1, 2):
        await bench.database.execute(Query("insert", insert), {"n": number})
    await sequence(bench)
    digests = "SELECT reason_digest AS digest FROM event WHERE reason <> ''"
    one, other = await bench.database.all(Query("digests", digests))
    assert one["digest"] != other["digest"], "the same words do not look the same"
    assert await history.faults() == []
    await history.tamper(f"UPDATE event SET reason = 'a flu' WHERE event_id = {EVENTS + 1}")
    assert await history.found() == [(CHANGED, f"{EVENTS + 1} (event {EVENTS + 1})")]


async def test_sequencers_at_once_and_one_that_breaks_off_leave_one_unbroken_chain(history: History):
    async def half_done() -> None:
        async with await psycopg.AsyncConnection.connect(history.url) as connection:
            await connection.execute("SELECT sequence_events(3)")
            await connection.rollback()

    for _ in range(3):
        await book(history.bench, 10)
        await asyncio.gather(*(sequence(history.bench, 3) for _ in range(6)), half_done())
    while await sequence(history.bench):
        pass
    assert (await read_head(history.url)).number == EVENTS + 30
    assert await history.faults() == []


EXAMPLES: list[dict[str, Any]] = [
    {"a": 1, "b": "x", "c": True, "d": False, "e": None},
    {"z": 0.5, "aa": 1e3, "B": -7, "long": 12345678901234567890, "ten": 1.10},
    {"quote": 'a "b" \\ /', "control": "\b\f\n\r\t\x01\x1f\x7f", "words": "Grüße 🩺 \u2028"},
    {"list": [1, "a", None, [True]], "object": {"bb": 1, "a": {"ü": "x"}, "c": 2}, "empty": [], "none": {}},
]


@pytest.mark.parametrize("record", EXAMPLES)
async def test_the_database_and_the_code_agree_on_the_digest_of_a_record(bench: LedgerBench, record: dict[str, Any]):
    written = json.dumps(record, ensure_ascii=False)
    query = Query(
        "digest", "SELECT record_digest(r) AS digest, r::text AS text FROM (SELECT %(r)s::jsonb AS r) AS given"
    )
    row = await bench.database.one(query, {"r": written})
    assert row is not None
    assert record_digest(parse_record(row["text"])) == bytes(row["digest"])


async def test_the_chain_is_the_same_whatever_a_session_makes_of_times_and_bytes(history: History):
    await book(history.bench, 3)
    async with await psycopg.AsyncConnection.connect(history.url) as connection:
        await connection.execute("SET timezone = 'Asia/Tokyo'")
        await connection.execute("SET bytea_output = 'escape'")
        await connection.execute("SET datestyle = 'German'")
        await connection.execute("SELECT sequence_events(500)")
    assert await history.faults() == []


async def test_the_first_hash_follows_by_hand_from_the_documented_form(history: History):
    query = Query("event", "SELECT to_jsonb(e) - '{before,after}'::text[] AS row, e.after FROM event e LIMIT 1")
    first = await history.bench.database.one(query)
    assert first is not None

    def digest(record: dict[str, Any]) -> bytes:
        fields = sorted((name, json.dumps(value)) for name, value in record.items() if value is not None)
        framed = [len(part).to_bytes(4, "big") + part.encode() for field in fields for part in field]
        return hashlib.sha256(b"".join(framed)).digest()

    row = first["row"] | {"after": digest(first["after"]).hex(), "event_time": NOW.isoformat()}
    del row["reason"]
    anchor = hashlib.sha256(b"telemed.appointment.feed").digest()
    linked = hashlib.sha256(anchor + (1).to_bytes(8, "big") + digest(row)).digest()
    assert await hash_of(history, 1) == linked


@pytest.mark.parametrize("text", ["", "12", "x:y", "1:abc", f"-1:{'0' * 64}", f"1:{'g' * 64}", f"1:{'0' * 65}"])
def test_an_anchor_that_was_copied_badly_is_refused(text: str):
    with pytest.raises(ValueError, match="no anchor"):
        Anchor.parse(text)


def test_an_anchor_survives_being_written_down():
    anchor = Anchor(1204, bytes(range(32)))
    assert Anchor.parse(str(anchor)) == anchor
