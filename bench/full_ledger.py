"""Booking with a million visits stored beside booking on empty databases.

`python -m bench.full_ledger [VISITS]`: two appointment and two doctor services on one durable PostgreSQL, in turn; four
minutes or so, of which most goes into storing the visits.
"""

import asyncio
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

import psycopg
import uvloop
from psycopg import sql
from psycopg.conninfo import make_conninfo
from telemed.appointment.v1.appointment_service_pb2_grpc import AppointmentServiceStub

from bench import doctors
from bench.booking import CALL_SECONDS, CHANNELS, CLIENTS, booking_request
from bench.clinic import Clinic, Metadata, free_ports, open_clinic
from bench.load import channels, drive, percentile
from bench.rounds import Variant, in_turn, show_rates, show_ratios, table
from chassis.migrations import migrate
from stack import databases

if TYPE_CHECKING:
    from telemed.appointment.v1.appointment_service_pb2_grpc import AppointmentServiceAsyncStub  # a type alone

VISITS = 1_000_000
BOOKINGS = 800  # a round
ROUNDS = 7
# The visits are those of other doctors and patients than the ones that are booked in the rounds, a hundred or so each.
_OTHERS = 9_800
_STORED = """
SELECT md5('stored ' || k)::uuid AS appointment_id, {doctor} AS doctor_id, {patient} AS patient_id, start_time,
       start_time + interval '{visit} minutes' AS end_time,
       tstzrange(start_time, start_time + interval '{visit} minutes' + interval '{buffer} minutes') AS occupied
FROM generate_series(0, {count} - 1) AS k,
     LATERAL (SELECT k / {others} % {days} * {cells} + k / {others} / {days} AS row) AS slot,
     LATERAL (SELECT {start} AS start_time) AS time
"""
_LEDGER = (
    """
    INSERT INTO appointment (appointment_id, patient_id, doctor_id, status, kind, start_time, end_time, buffer_minutes,
                             seat, timezone, specialty_required, patient_notes, match_score, is_preferred_doctor,
                             version, create_time, update_time)
    SELECT appointment_id, patient_id, doctor_id, 'CONFIRMED', 'GeneralConsultation', start_time, end_time, {buffer}, 0,
           'UTC', '', '', 0.5, false, 1, now(), now()
    FROM ({stored}) AS s
    """,
    """
    INSERT INTO doctor_claim (doctor_id, appointment_id, kind, seat, capacity, occupied, day)
    SELECT doctor_id, appointment_id, 'GeneralConsultation', 0, 1, occupied, lower(occupied)::date FROM ({stored}) AS s
    """,
    """
    INSERT INTO patient_claim (patient_id, appointment_id, during, day, day_ordinal, day_limit)
    SELECT patient_id, appointment_id, tstzrange(start_time, end_time), start_time::date, 0, 3 FROM ({stored}) AS s
    """,
)
_COPY = (
    """
    INSERT INTO visit (appointment_id, doctor_id, patient_id, kind, status, start_time, end_time, occupied, seat,
                       version)
    SELECT appointment_id, doctor_id, patient_id, 'GeneralConsultation', 'CONFIRMED', start_time, end_time, occupied, 0,
           1
    FROM ({stored}) AS s
    """,
)


async def main(arguments: Sequence[str] = ()) -> None:
    """Measures and prints."""
    count = int(arguments[0]) if arguments else VISITS
    print(f"bench.full_ledger: {count:,} visits stored, {CLIENTS} clients, {ROUNDS} rounds\n", flush=True)
    first = doctors.first_day()
    async with open_clinic() as empty, AsyncExitStack() as stack:
        full = await _beside(empty)
        for clinic in (empty, full):
            await doctors.add_doctors(clinic.urls["doctor"])
        await asyncio.gather(
            _store(full.urls["appointment"], _LEDGER, count, first), _store(full.urls["doctor"], _COPY, count, first)
        )
        variants: list[Variant] = []
        taken: dict[str, list[float]] = {"empty": [], "full": []}
        for name, clinic in (("empty", empty), ("full", full)):
            await stack.enter_async_context(clinic.running(["doctor", "appointment"]))
            opened = await stack.enter_async_context(channels(clinic.target("appointment"), CHANNELS))
            stubs = [AppointmentServiceStub(channel) for channel in opened]
            variants.append(Variant(name, partial(_book, stubs, clinic.metadata(), first, taken[name])))
        await in_turn(variants, ROUNDS)
    on_empty, on_full = variants
    show_rates(variants)
    show_ratios([(on_full, on_empty)])
    rows = [(name, *(f"{percentile(all_, p) * 1000:.0f}" for p in (50, 95, 99))) for name, all_ in taken.items()]
    table(["milliseconds a Book", "p50", "p95", "p99"], rows)


async def _book(
    stubs: "Sequence[AppointmentServiceAsyncStub]", caller: Metadata, first: date, taken: list[float], number: int
) -> float:
    """One round; both variants book the same slots in it, each in databases of its own."""
    calls = (
        partial(stubs[n % CHANNELS].Book, booking_request(n, first), metadata=caller, timeout=CALL_SECONDS)
        for n in range(number * BOOKINGS, (number + 1) * BOOKINGS)
    )
    load = await drive(calls, CLIENTS)
    if load.failures:
        raise RuntimeError(f"bookings that nothing stands in the way of were refused: {load.failures}")
    if number > 0:
        taken.extend(load.latencies)
    return load.rate


async def _beside(clinic: Clinic) -> Clinic:
    """A second clinic with databases and ports of its own on the same server."""
    urls = {service: make_conninfo(url, dbname=f"full_{service}") for service, url in clinic.urls.items()}
    for service, url in urls.items():
        await databases.create_when_missing(url)
        await migrate(url, databases.migrations_of(service))
    return replace(clinic, plan=replace(clinic.plan, port=free_ports()), urls=urls)


async def _store(url: str, statements: Sequence[str], count: int, first: date) -> None:
    stored = _STORED.format(
        doctor=doctors.doctor_id_sql(f"{doctors.DOCTORS} + k % {_OTHERS}"),
        patient=doctors.patient_id_sql("10000000 + k"),
        count=count,
        others=_OTHERS,
        days=doctors.DAYS,
        cells=doctors.SLOTS_A_DAY,
        visit=doctors.VISIT_MINUTES,
        buffer=doctors.BUFFER_MINUTES,
        start=doctors.start_sql("row", first),
    )
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        for statement in (*statements, "VACUUM ANALYZE"):
            text = statement.format(stored=stored, buffer=doctors.BUFFER_MINUTES)
            await connection.execute(sql.SQL(text))


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1:]))
