"""What the appointment service keeps of a patient, read for an export."""

from datetime import timedelta
from uuid import uuid4

from appointment_svc.storage.patient_data import PatientRecords
from appointment_svc.storage.rows import QUERIES
from tests.fix_ledger import STAFF, TEN, LedgerBench, draft, order

PATIENT = str(uuid4())


async def book(bench: LedgerBench, patient_id: str, days: int) -> None:
    one = draft(doctor_id=str(uuid4()), patient_id=patient_id, start=TEN + timedelta(days=days))
    await bench.ledger.book(order([one]))


async def numbers(bench: LedgerBench, after: str = "", limit: int = 100) -> list[str]:
    records = PatientRecords(bench.database, bench.appointments)
    return [position for position, _ in await records.events(STAFF, PATIENT, after, limit)]


async def test_what_happened_a_moment_ago_is_told_before_it_has_a_place_in_the_feed(bench: LedgerBench):
    await book(bench, PATIENT, 1)
    await bench.database.one(QUERIES["sequence_events"], {"batch_size": 500})
    await book(bench, PATIENT, 2)
    await book(bench, str(uuid4()), 3)
    records = PatientRecords(bench.database, bench.appointments)
    told = [event for _, event in await records.events(STAFF, PATIENT, "", 100)]
    assert [event.after.patient_id for event in told] == [PATIENT] * 2


async def test_events_go_on_behind_the_page_before(bench: LedgerBench):
    for days in range(1, 6):
        await book(bench, PATIENT, days)
    whole = await numbers(bench)
    assert len(whole) == 5
    first = await numbers(bench, limit=2)
    assert first == whole[:2]
    assert await numbers(bench, after=first[-1]) == whole[2:]
