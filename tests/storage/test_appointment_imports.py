"""Imports: visits from elsewhere enter the ledger by its rules, once, and the feed tells of them."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from appointment_svc.app.ports import FeedReader, Outcome
from appointment_svc.domain.errors import DailyLimitReached, PatientBusy, SlotTaken
from appointment_svc.storage.imports import ImportedAppointment, import_appointments
from appointment_svc.storage.rows import QUERIES
from chassis.sql import Query
from kernel.appointment_status import OCCUPYING, AppointmentStatus
from kernel.appointment_types import AppointmentType
from kernel.errors import Refusal
from tests.fix_ledger import NOW, TEN, LedgerBench, draft, order

COUNTS = Query(
    "counts",
    """SELECT (SELECT count(*) FROM appointment) AS appointments, (SELECT count(*) FROM event) AS events,
              (SELECT count(*) FROM event_pending) AS pending, (SELECT count(*) FROM doctor_claim) AS doctor_claims,
              (SELECT count(*) FROM patient_claim) AS patient_claims""",
)
CLAIMS = Query(
    "claims",
    """SELECT d.doctor_id::text, d.capacity, lower(d.occupied) AS occupied_from, upper(d.occupied) AS occupied_until,
              p.patient_id::text, lower(p.during) AS during_from, upper(p.during) AS during_until, p.day, p.day_ordinal,
              p.day_limit
       FROM doctor_claim d JOIN patient_claim p USING (appointment_id) ORDER BY p.day_ordinal""",
)
SEATS = Query("seats", "SELECT a.seat, c.seat AS claimed FROM appointment a JOIN doctor_claim c USING (appointment_id)")
EVENTS = Query("events", "SELECT kind, version, event_time, actor_subject, actor_role, before, after FROM event")
DEADLOCKS = Query("deadlocks", "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")


def visit(
    *,
    doctor_id: str = "",
    patient_id: str = "",
    start: datetime = TEN,
    status: AppointmentStatus = AppointmentStatus.CONFIRMED,
    kind: AppointmentType = AppointmentType.GENERAL_CONSULTATION,
    capacity: int = 1,
) -> ImportedAppointment:
    wanted = draft(doctor_id=doctor_id or str(uuid4()), patient_id=patient_id or str(uuid4()), start=start, kind=kind)
    return ImportedAppointment(replace(wanted.appointment, status=status), start.date(), capacity)


async def counts(bench: LedgerBench) -> dict[str, int]:
    row = await bench.database.one(COUNTS)
    assert row is not None
    return dict(row)


async def refused(bench: LedgerBench, *visits: ImportedAppointment) -> Refusal:
    with pytest.raises(Refusal) as caught:
        await import_appointments(bench.database, visits, NOW)
    return caught.value


async def test_a_visit_in_every_state_is_kept_and_only_the_occupying_ones_claim_time(bench: LedgerBench):
    visits = [visit(status=status) for status in AppointmentStatus]
    assert await import_appointments(bench.database, visits, NOW) == len(visits)
    assert await counts(bench) == {
        "appointments": len(AppointmentStatus),
        "events": len(AppointmentStatus),
        "pending": len(AppointmentStatus),
        "doctor_claims": len(OCCUPYING),
        "patient_claims": len(OCCUPYING),
    }
    for imported in visits:
        assert await bench.appointments.get(imported.appointment.id) == imported.appointment


async def test_the_doctor_is_claimed_with_the_buffer_and_the_patient_without(bench: LedgerBench):
    patient = str(uuid4())
    first, second = visit(patient_id=patient), visit(patient_id=patient, start=TEN + timedelta(hours=1), capacity=4)
    await import_appointments(bench.database, [second, first], NOW)
    claims = await bench.database.all(CLAIMS)
    assert claims == [
        {
            "doctor_id": imported.appointment.doctor_id,
            "capacity": imported.capacity,
            "occupied_from": imported.appointment.start,
            "occupied_until": imported.appointment.end + timedelta(minutes=10),
            "patient_id": patient,
            "during_from": imported.appointment.start,
            "during_until": imported.appointment.end,
            "day": TEN.date(),
            "day_ordinal": ordinal,
            "day_limit": 3,
        }
        for ordinal, imported in enumerate((first, second))
    ]


async def test_the_feed_tells_of_each_visit_in_the_order_of_their_starts_and_without_its_words(bench: LedgerBench):
    visits = [visit(start=TEN + timedelta(hours=hours)) for hours in (3, 1, 2)]
    visits = [replace(v, appointment=replace(v.appointment, patient_notes="call first")) for v in visits]
    await import_appointments(bench.database, visits, NOW)
    await bench.database.one(QUERIES["sequence_events"], {"batch_size": 10})
    page = await bench.feed.read(FeedReader(), 0, 10)
    assert [(change.kind, change.version) for change in page.changes] == [("IMPORTED", 1)] * 3
    told = [replace(v.appointment, patient_notes="") for v in sorted(visits, key=lambda v: v.appointment.start)]
    assert [change.appointment for change in page.changes] == told
    (event, *_) = await bench.database.all(EVENTS)
    assert (event["event_time"], event["actor_subject"], event["actor_role"]) == (NOW, "import", "service")
    assert event["before"] is None


async def test_what_is_there_already_is_passed_over_without_an_event(bench: LedgerBench):
    known, new = visit(), visit()
    assert await import_appointments(bench.database, [known], NOW) == 1
    changed = replace(known, appointment=replace(known.appointment, status=AppointmentStatus.COMPLETED))
    assert await import_appointments(bench.database, [changed, new], NOW) == 1
    assert await import_appointments(bench.database, [known, new], NOW) == 0
    assert await bench.appointments.get(known.appointment.id) == known.appointment
    assert await counts(bench) == {
        "appointments": 2,
        "events": 2,
        "pending": 2,
        "doctor_claims": 2,
        "patient_claims": 2,
    }


async def test_a_visit_that_the_doctor_cannot_keep_refuses_its_batch_and_says_which(bench: LedgerBench):
    doctor = str(uuid4())
    good, taken = visit(doctor_id=doctor), visit(doctor_id=doctor, start=TEN + timedelta(minutes=39))
    refusal = await refused(bench, visit(), good, taken)
    assert isinstance(refusal, SlotTaken)
    assert refusal.metadata == {"appointment_id": taken.appointment.id}
    assert set((await counts(bench)).values()) == {0}


async def test_earlier_batches_stay_when_a_later_one_is_refused(bench: LedgerBench):
    doctor = str(uuid4())
    with pytest.raises(SlotTaken):
        await import_appointments(bench.database, [visit(doctor_id=doctor), visit(doctor_id=doctor)], NOW, batch_size=1)
    assert set((await counts(bench)).values()) == {1}


async def test_a_patient_in_two_visits_at_once_is_refused(bench: LedgerBench):
    patient = str(uuid4())
    refusal = await refused(bench, visit(patient_id=patient), visit(patient_id=patient))
    assert isinstance(refusal, PatientBusy)


async def test_a_fourth_active_visit_of_a_day_is_refused_and_a_finished_one_is_not(bench: LedgerBench):
    patient = str(uuid4())
    day = [visit(patient_id=patient, start=TEN + timedelta(hours=hours)) for hours in range(4)]
    refusal = await refused(bench, *day)
    assert isinstance(refusal, DailyLimitReached)
    assert refusal.metadata == {"appointment_id": day[3].appointment.id}
    finished = replace(day[0], appointment=replace(day[0].appointment, status=AppointmentStatus.COMPLETED))
    assert await import_appointments(bench.database, [finished, *day[1:]], NOW) == 4


async def test_visits_that_share_the_time_take_a_seat_each(bench: LedgerBench):
    doctor = str(uuid4())

    def in_the_group() -> ImportedAppointment:
        return visit(doctor_id=doctor, kind=AppointmentType.GROUP_SESSION, capacity=3)

    await import_appointments(bench.database, [in_the_group() for _ in range(3)], NOW)
    seats = [(row["seat"], row["claimed"]) for row in await bench.database.all(SEATS)]
    assert sorted(seats) == [(0, 0), (1, 1), (2, 2)]
    assert isinstance(await refused(bench, in_the_group()), SlotTaken)


async def test_an_imported_visit_keeps_its_time_from_later_bookings(bench: LedgerBench):
    imported = visit()
    await import_appointments(bench.database, [imported], NOW)
    rival = draft(doctor_id=imported.appointment.doctor_id, patient_id=str(uuid4()))
    assert (await bench.ledger.book(order([rival]))).outcome is Outcome.SLOT_TAKEN


async def test_two_imports_and_two_hundred_bookings_of_the_same_times_never_deadlock(bench: LedgerBench):
    doctors, patients = [str(uuid4()) for _ in range(10)], [str(uuid4()) for _ in range(10)]
    slots = [
        (doctor, patients[(row + column) % 10], TEN + timedelta(days=column))
        for row, doctor in enumerate(doctors)
        for column in range(10)
    ]

    async def move_in(backwards: bool) -> str:
        wanted = [visit(doctor_id=doctor, patient_id=patient, start=start) for doctor, patient, start in slots]
        try:
            await import_appointments(bench.database, reversed(wanted) if backwards else wanted, NOW)
        except (SlotTaken, PatientBusy) as refusal:
            return refusal.reason
        return "IMPORTED"

    async def book(doctor: str, patient: str, start: datetime) -> str:
        wanted = draft(doctor_id=doctor, patient_id=patient, start=start)
        return (await bench.ledger.book(order([wanted]))).outcome

    outcomes = Counter(
        await asyncio.gather(
            *(move_in(number % 2 == 1) for number in range(2)), *(book(*slot) for slot in slots for _ in range(2))
        )
    )
    booked = outcomes[Outcome.BOOKED] + len(slots) * outcomes["IMPORTED"]
    assert (await counts(bench))["doctor_claims"] == booked == len(slots)
    row = await bench.database.one(DEADLOCKS)
    assert row is not None
    assert row["deadlocks"] == 0
