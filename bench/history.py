"""Lists and figures over a million appointments: is the last page as fast as the first, and what do statistics cost?

`python -m bench.history [APPOINTMENTS]`: the appointment service in its own process, a durable PostgreSQL; minutes.
"""

import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median
from typing import Any

import grpc
import psycopg
import uvloop
from telemed.appointment.v1 import appointment_pb2, statistics_pb2
from telemed.appointment.v1 import appointment_service_pb2 as pb
from telemed.appointment.v1.appointment_service_pb2_grpc import AppointmentServiceStub
from telemed.type.v1 import scheduling_pb2

from bench.clinic import open_clinic
from bench.history_seed import seed_appointments, some_doctor, some_patient
from bench.load import percentile
from bench.rounds import table
from chassis.paging import page_token
from chassis.protos import from_date, to_timestamp

APPOINTMENTS = 1_000_000
ROUNDS = 40
_PAGE = 50
_NEWEST = datetime(2026, 1, 1, tzinfo=UTC)
_PATIENT, _DOCTOR = some_patient(7), some_doctor(7)
_FROM, _TO = _NEWEST - timedelta(days=1000), _NEWEST - timedelta(days=100)
_STATUS = "status = '{}'"
Filter = tuple[str, dict[str, Any]]
Call = Callable[[], Any]  # answers something to await: the stubs are typed as if they did not

_ALL: Filter = ("true", {})
_OF_PATIENT: Filter = (f"patient_id = '{_PATIENT}'", {"patient_id": _PATIENT})
_OF_DOCTOR: Filter = (f"doctor_id = '{_DOCTOR}'", {"doctor_id": _DOCTOR})
_COMPLETED: Filter = (_STATUS.format("COMPLETED"), {"status": appointment_pb2.APPOINTMENT_STATUS_COMPLETED})
_MISSED: Filter = (_STATUS.format("NO_SHOW"), {"status": appointment_pb2.APPOINTMENT_STATUS_NO_SHOW})
_FOLLOW_UPS: Filter = ("kind = 'FollowUp'", {"appointment_type": scheduling_pb2.APPOINTMENT_TYPE_FOLLOW_UP})
_BETWEEN: Filter = (
    f"start_time >= '{_FROM.isoformat()}' AND start_time < '{_TO.isoformat()}'",
    {"from_time": to_timestamp(_FROM), "to_time": to_timestamp(_TO)},
)


def _both(*filters: Filter) -> Filter:
    values: dict[str, Any] = {}
    for _, fields in filters:
        values |= fields
    return " AND ".join(condition for condition, _ in filters), values


FILTERS: dict[str, Filter] = {
    "none": _ALL,
    "from, to": _BETWEEN,
    "patient": _OF_PATIENT,
    "patient, from, to": _both(_OF_PATIENT, _BETWEEN),
    "patient, state": _both(_OF_PATIENT, _COMPLETED),
    "doctor": _OF_DOCTOR,
    "doctor, from, to": _both(_OF_DOCTOR, _BETWEEN),
    "doctor, state": _both(_OF_DOCTOR, _COMPLETED),
    "doctor, kind": _both(_OF_DOCTOR, _FOLLOW_UPS),
    "state": _COMPLETED,
    "state (1 in 5,000)": _MISSED,
    "state, from, to": _both(_COMPLETED, _BETWEEN),
    "kind": _FOLLOW_UPS,
    "kind, from, to": _both(_FOLLOW_UPS, _BETWEEN),
    "state, kind": _both(_COMPLETED, _FOLLOW_UPS),
}


async def main(arguments: Sequence[str] = ()) -> None:
    """Measures and prints."""
    count = int(arguments[0]) if arguments else APPOINTMENTS
    print(f"bench.history: {count:,} appointments, pages of {_PAGE}, {ROUNDS} rounds\n", flush=True)
    async with open_clinic() as clinic:
        url = clinic.urls["appointment"]
        seed_appointments(url, count)
        async with clinic.running(["appointment"]), grpc.aio.insecure_channel(clinic.target("appointment")) as channel:
            stub, metadata = AppointmentServiceStub(channel), clinic.metadata()
            await _lists(stub, metadata, url)
            await _figures(stub, metadata)


async def _lists(stub: AppointmentServiceStub, metadata: Any, url: str) -> None:
    rows = []
    for name, (condition, fields) in FILTERS.items():
        calls = [
            partial(
                stub.ListAppointments,
                pb.ListAppointmentsRequest(page_size=_PAGE, page_token=token, **fields),
                metadata=metadata,
                timeout=60,
            )
            for token in ("", _token_of_last_page(url, condition))
        ]
        first, last = await _in_turn(calls, ROUNDS)
        rows.append((name, f"{median(first):.1f}", f"{median(last):.1f}", f"{median(last) / median(first):.2f}"))
    table(["milliseconds a page, by filter", "first", "last", "last ÷ first"], rows)


def _token_of_last_page(url: str, condition: str) -> str:
    with psycopg.connect(url) as connection:
        row = connection.execute(
            f"SELECT start_time, appointment_id FROM appointment WHERE {condition}"
            f" ORDER BY start_time, appointment_id OFFSET {_PAGE} LIMIT 1"
        ).fetchone()
    return page_token(row[0].astimezone(UTC).isoformat(), str(row[1])) if row else ""


async def _figures(stub: AppointmentServiceStub, metadata: Any) -> None:
    def stats(**fields: Any) -> Call:
        return partial(stub.GetStats, statistics_pb2.GetStatsRequest(**fields), metadata=metadata, timeout=60)

    days = {"from_date": from_date((_NEWEST - timedelta(days=70)).date()), "to_date": from_date(_NEWEST.date())}
    analytics = statistics_pb2.GetBookingAnalyticsRequest(**days)
    asked: dict[str, Call] = {
        "GetStats of a patient": stats(**_OF_PATIENT[1]),
        "GetStats of a doctor": stats(**_OF_DOCTOR[1]),
        "GetStats of a month": stats(
            from_time=to_timestamp(_NEWEST - timedelta(days=130)), to_time=to_timestamp(_NEWEST - timedelta(days=100))
        ),
        "GetStats of everything": stats(),
        "GetBookingAnalytics of 71 days": partial(stub.GetBookingAnalytics, analytics, metadata=metadata, timeout=60),
    }
    times = await _in_turn(list(asked.values()), 5)
    rows = [(name, f"{median(ms):,.0f}", f"{percentile(ms, 100):,.0f}") for name, ms in zip(asked, times, strict=True)]
    table(["milliseconds", "median", "slowest"], rows)


async def _in_turn(calls: Sequence[Call], rounds: int) -> list[list[float]]:
    """Milliseconds of each call in each round; a first round is not counted."""
    times: list[list[float]] = [[] for _ in calls]
    for number in range(rounds + 1):
        for call, taken in zip(calls, times, strict=True):
            began = time.perf_counter()
            await call()
            if number:
                taken.append((time.perf_counter() - began) * 1000)
    return times


if __name__ == "__main__":
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(main(sys.argv[1:]))
