"""Random doctors with random diaries, put into both services: what properties of bookings are tried on."""

import random
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

from telemed.doctor.v1 import availability_pb2
from telemed.type.v1 import scheduling_pb2

from appointment_svc.storage.imports import ImportedAppointment, import_appointments
from doctor_svc.domain.availability import AvailabilityRule, WallBlock
from doctor_svc.domain.doctor import Doctor
from kernel.appointment_types import AppointmentType
from kernel.civil_time import day_of
from kernel.errors import Refusal
from kernel.revision import token_of
from tests.fix_doctors import a_doctor, a_rule, seed
from tests.fix_ledger import draft
from tests.fix_pair import Pair

GENERAL, FOLLOW_UP, GROUP = (
    AppointmentType.GENERAL_CONSULTATION,
    AppointmentType.FOLLOW_UP,
    AppointmentType.GROUP_SESSION,
)
KINDS = (GENERAL, FOLLOW_UP, GROUP)
NUMBERS = {
    GENERAL: scheduling_pb2.APPOINTMENT_TYPE_GENERAL_CONSULTATION,
    FOLLOW_UP: scheduling_pb2.APPOINTMENT_TYPE_FOLLOW_UP,
    GROUP: scheduling_pb2.APPOINTMENT_TYPE_GROUP_SESSION,
}
ZONES = ("UTC", "America/New_York", "Asia/Kathmandu")
BLOCKS = ("01:00-05:30", "09:00-12:00", "07:00-12:30", "13:00-18:00", "20:00-23:30")


async def some_doctor(pair: Pair, chance: random.Random, **profile: object) -> Doctor:
    """A verified doctor with hours of a kind or two, perhaps with limits of their own, and perhaps a day off."""
    doctor = a_doctor(zone=chance.choice(ZONES), max_daily_appointments=chance.choice((0, 0, 2, 4)), **profile)
    await seed(pair.doctor_db, [doctor], list(_rules(doctor, chance)))
    if chance.random() < 0.4:
        await _day_off(pair, doctor, chance)
    return doctor


def _rules(doctor: Doctor, chance: random.Random) -> Iterator[AvailabilityRule]:
    for kind in chance.sample(KINDS, chance.choice((1, 2))):
        notice, horizon = chance.choice((None, None, timedelta(hours=30))), chance.choice((None, None, 3))
        for day in range(7):
            if chance.random() < 0.2:
                continue
            start, _, end = chance.choice(BLOCKS).partition("-")
            yield a_rule(
                doctor,
                day,
                WallBlock(time.fromisoformat(start), time.fromisoformat(end)),
                kind=kind,
                duration=timedelta(minutes=chance.choice((20, 30))),
                buffer=timedelta(minutes=chance.choice((0, 10))),
                capacity=chance.choice((2, 3)) if kind is GROUP else 1,
                notice=notice,
                horizon_days=horizon,
            )


async def _day_off(pair: Pair, doctor: Doctor, chance: random.Random) -> None:
    day = pair.now.date() + timedelta(days=chance.randrange(5))
    date = {"year": day.year, "month": day.month, "day": day.day}
    part = {"start_time": {"hours": 9}, "end_time": {"hours": 11}} if chance.random() < 0.5 else {}
    kind = availability_pb2.OVERRIDE_KIND_VACATION
    override = availability_pb2.AvailabilityOverride(kind=kind, start_date=date, end_date=date, **part)
    request = availability_pb2.CreateOverrideRequest(doctor_id=doctor.doctor_id, override=override)
    await pair.doctors.CreateOverride(request, metadata=pair.admin())


def some_start(pair: Pair, chance: random.Random, days: int = 7) -> datetime:
    """A start on a grid of ten minutes, from a little before now on."""
    return pair.now - timedelta(hours=3) + timedelta(minutes=10 * chance.randrange(days * 144))


async def some_visits(pair: Pair, chance: random.Random, doctor: Doctor, patient: str, count: int = 14) -> None:
    """Visits of the doctor with others and of the patient with others; those that contradict another are left out."""
    zone = ZoneInfo(doctor.profile.timezone)
    for _ in range(chance.randrange(count)):
        whose = chance.choice(("doctor", "doctor", "patient"))
        start, kind = some_start(pair, chance), chance.choice(KINDS)
        drafted = draft(
            doctor_id=doctor.doctor_id if whose == "doctor" else str(uuid4()),
            patient_id=patient if whose == "patient" else str(uuid4()),
            start=start,
            minutes=chance.choice((20, 30, 50)),
            buffer=chance.choice((0, 10)),
            kind=kind,
        ).appointment
        visit = ImportedAppointment(drafted, day_of(start, zone), 3 if kind is GROUP else 1)
        try:
            await import_appointments(pair.appointment_db, [visit], pair.now)
        except Refusal:
            continue
        pair.revision = token_of(drafted.id, 1)
    if pair.revision:
        await pair.caught_up()
