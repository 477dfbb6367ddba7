"""Booking through gRPC beside pgbench with the same SQL, and two hundred bookers on one slot.

`python -m bench.booking`: two service processes, a durable PostgreSQL, 16 clients; about a minute.
"""

from collections.abc import Iterator
from datetime import date
from functools import partial

import psycopg
import uvloop
from psycopg import sql
from psycopg.conninfo import make_conninfo
from telemed.appointment.v1.appointment_service_pb2 import BookRequest
from telemed.appointment.v1.appointment_service_pb2_grpc import AppointmentServiceStub

from bench import booking_sql, doctors, hot_slot
from bench.clinic import Clinic, open_clinic
from bench.load import Call, channels, drive, percentile
from bench.pgbench import Pgbench
from bench.rounds import Variant, in_turn, show_rates, show_ratios
from chassis.migrations import migrate
from stack.databases import migrations_of

CLIENTS = 16
CHANNELS = 4
BOOKINGS = 1_600  # a round; each variant makes as many, so that all ledgers grow alike
ROUNDS = 5
CALL_SECONDS = 10.0
_BOTH = "bench_both"


async def main() -> None:
    """Measures and prints."""
    print(f"bench.booking: {CLIENTS} clients, {BOOKINGS} bookings a round, {ROUNDS} rounds\n", flush=True)
    async with open_clinic() as clinic:
        await doctors.add_doctors(clinic.urls["doctor"])
        async with clinic.running(["doctor", "appointment"]):
            await _beside_pgbench(clinic)
            await hot_slot.measure(clinic)


async def _beside_pgbench(clinic: Clinic) -> None:
    first = doctors.first_day()
    alone, both = await _equal_ledger(clinic), await _both_schemas(clinic)
    scripts = {
        "alone": booking_sql.book_script(first),
        "both": booking_sql.statements_script(first),
    }
    for name, text in scripts.items():
        (clinic.plan.data / f"{name}.sql").write_text(text)
    program = clinic.postgres.home.program("pgbench")
    book = Pgbench(program, clinic.plan.data / "alone.sql", alone, CLIENTS)
    statements = Pgbench(program, clinic.plan.data / "both.sql", both, CLIENTS)
    each = BOOKINGS // CLIENTS
    latencies: list[float] = []
    ceilings: list[float] = []
    async with channels(clinic.target("appointment"), CHANNELS) as opened:
        stubs = [AppointmentServiceStub(channel) for channel in opened]
        callers = [clinic.metadata() for _ in range(CLIENTS)]

        def calls(first_number: int) -> Iterator[Call]:
            for number in range(first_number, first_number + BOOKINGS):
                request = booking_request(number, first)
                stub, metadata = stubs[number % CHANNELS], callers[number % CLIENTS]
                yield partial(stub.Book, request, metadata=metadata, timeout=CALL_SECONDS)

        async def through_grpc(round_number: int) -> float:
            load = await drive(calls(round_number * BOOKINGS), CLIENTS)
            if load.failures:
                raise RuntimeError(f"bookings that nothing stands in the way of were refused: {load.failures}")
            if round_number > 0:
                latencies.extend(load.latencies)
                ceilings.append(load.ceiling)
            return load.rate

        grpc_book = Variant("gRPC Book", through_grpc)
        pg_book = Variant("pgbench book()", lambda n: book.run(each, i=0, first=n * BOOKINGS, each=each))
        pg_all = Variant("pgbench all statements", lambda n: statements.run(each, i=0, first=n * BOOKINGS, each=each))
        await in_turn([grpc_book, pg_book, pg_all], ROUNDS)
    show_rates([grpc_book, pg_book, pg_all])
    show_ratios([(grpc_book, pg_book), (grpc_book, pg_all)])
    told = ", ".join(f"p{p} {percentile(latencies, p) * 1000:.0f} ms" for p in (50, 95, 99))
    print(f"  gRPC Book: {told}; client alone {min(ceilings):,.0f}/s\n")


def booking_request(number: int, first: date) -> BookRequest:
    """A booking of slot `number` by a patient who books nothing else, and whom SQL knows too."""
    return doctors.booking(number, first, doctors.patient_id(number))


async def _equal_ledger(clinic: Clinic) -> str:
    """A second appointment database, empty like the service's own."""
    url = await _new_database(clinic, "bench_appointment")
    await migrate(url, migrations_of("appointment"))
    return url


async def _both_schemas(clinic: Clinic) -> str:
    """A database with the tables of both services, since pgbench's script runs in one; each in a schema of its own."""
    url = await _new_database(clinic, _BOTH)
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute("CREATE EXTENSION btree_gist")
        for schema in ("appointment", "doctor"):
            await connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
            own = make_conninfo(url, options=f"-c search_path={schema},public")
            await migrate(own, migrations_of(schema))
    await doctors.add_doctors(make_conninfo(url, options="-c search_path=doctor,public"))
    return make_conninfo(url, options="-c search_path=appointment,doctor,public")


async def _new_database(clinic: Clinic, name: str) -> str:
    async with await psycopg.AsyncConnection.connect(clinic.postgres.url(), autocommit=True) as connection:
        await connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return clinic.postgres.url(name)


if __name__ == "__main__":
    uvloop.run(main())
