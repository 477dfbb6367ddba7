"""The doctors of a benchmark and the times they offer: the n-th is the same time in Python and in SQL."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID, uuid4

from telemed.appointment.v1.appointment_service_pb2 import BookRequest
from telemed.type.v1.scheduling_pb2 import APPOINTMENT_TYPE_GENERAL_CONSULTATION

from chassis.db import Database
from chassis.protos import to_timestamp
from doctor_svc.domain.availability import AvailabilityRule, WallBlock
from doctor_svc.domain.doctor import Doctor, PrivateDetails, Profile
from doctor_svc.storage.doctors import import_doctors, import_rules
from kernel.appointment_types import AppointmentType

DOCTORS = 200
# Every day, ten visits of 15 minutes with 5 between them from nine and ten from two: an answer of twenty slots.
VISIT_MINUTES, BUFFER_MINUTES = 15, 5
SLOTS_A_DAY = 20
_SLOTS_A_BLOCK = 10
_CELL = timedelta(minutes=VISIT_MINUTES + BUFFER_MINUTES)
_BLOCKS = (WallBlock(time(9), time(12, 20)), WallBlock(time(14), time(17, 20)))
DAYS = 80  # of the clinic's horizon of 90
SLOTS = DOCTORS * DAYS * SLOTS_A_DAY


def doctor_id(index: int) -> str:
    """The id of a doctor; the same as `doctor_id_sql`."""
    return str(UUID(f"d0c70000-0000-4000-8000-{index:012x}"))


def patient_id(index: int) -> str:
    """The id of a patient; the same as `patient_id_sql`."""
    return str(UUID(f"9a000000-0000-4000-8000-{index:012x}"))


def doctor_id_sql(index: str) -> str:
    """The SQL of a doctor's id, by that of its index."""
    return f"('d0c70000-0000-4000-8000-' || lpad(to_hex(({index})::int), 12, '0'))::uuid"


def patient_id_sql(index: str) -> str:
    """The SQL of a patient's id, by that of its index."""
    return f"('9a000000-0000-4000-8000-' || lpad(to_hex(({index})::int), 12, '0'))::uuid"


def first_day() -> date:
    """The first day that is booked: far enough from now that the notice is kept."""
    return datetime.now(UTC).date() + timedelta(days=2)


def slot(number: int, first: date) -> tuple[str, datetime]:
    """The doctor and the start of slot `number`, below SLOTS; numbers in a row are of different doctors."""
    row, doctor = divmod(number, DOCTORS)
    day, cell = divmod(row, SLOTS_A_DAY)
    block, within = divmod(cell, _SLOTS_A_BLOCK)
    opens = datetime.combine(first + timedelta(days=day), _BLOCKS[block].start, UTC)
    return doctor_id(doctor), opens + within * _CELL


def start_sql(row: str, first: date) -> str:
    """The SQL of a slot's start, by that of its number divided by DOCTORS."""
    cell = f"(({row})::int % {SLOTS_A_DAY})"
    opens = [block.start.hour * 60 for block in _BLOCKS]
    return (
        f"(timestamptz '{first.isoformat()} UTC' + make_interval(days => ({row})::int / {SLOTS_A_DAY}, mins => "
        f"CASE WHEN {cell} < {_SLOTS_A_BLOCK} THEN {opens[0]} ELSE {opens[1]} END"
        f" + {cell} % {_SLOTS_A_BLOCK} * {_CELL // timedelta(minutes=1)}))"
    )


def booking(number: int, first: date, patient: str = "") -> BookRequest:
    """A booking of slot `number`, by that patient or by one who books nothing else."""
    doctor, start = slot(number, first)
    return BookRequest(
        patient_id=patient or str(uuid4()),
        doctor_id=doctor,
        appointment_date=to_timestamp(start),
        appointment_type=APPOINTMENT_TYPE_GENERAL_CONSULTATION,
        duration_minutes=VISIT_MINUTES,
        timezone="UTC",
        request_id=str(uuid4()),
    )


async def add_doctors(url: str) -> None:
    """Puts the doctors and their hours into a doctor database."""
    now = datetime.now(UTC)
    database = Database(url, size=1)
    await database.open()
    try:
        async with database.transaction() as session:
            await import_doctors(session, [(_doctor(index, now), PrivateDetails()) for index in range(DOCTORS)])
            await import_rules(session, [rule for index in range(DOCTORS) for rule in _rules(index)], now)
    finally:
        await database.close()


def _doctor(index: int, now: datetime) -> Doctor:
    profile = Profile(
        first_name="Ada",
        last_name=f"Number {index}",
        specialty="Cardiology",
        timezone="UTC",
        years_experience=10,
        languages=("en",),
    )
    return Doctor(doctor_id(index), profile, True, 4.5, 20, 1, now, now)


def _rules(index: int) -> Sequence[AvailabilityRule]:
    return [
        AvailabilityRule(
            rule_id=str(UUID(f"40000000-0000-4000-8000-{index * 7 + weekday:012x}")),
            doctor_id=doctor_id(index),
            day_of_week=weekday,
            specific_date=None,
            kind=AppointmentType.GENERAL_CONSULTATION,
            duration=timedelta(minutes=VISIT_MINUTES),
            buffer=timedelta(minutes=BUFFER_MINUTES),
            capacity=1,
            morning=_BLOCKS[0],
            afternoon=_BLOCKS[1],
        )
        for weekday in range(7)
    ]
