"""GetBookingAnalytics over gRPC: right to the digit against a recount, in any zone; and every attempt is in it once."""

import random
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from telemed.appointment.v1 import statistics_pb2 as pb

from chassis.context import Role
from chassis.protos import from_date
from chassis.sql import Query
from tests.fix_ledger import NOW
from tests.fix_records import Records
from tests.refusals import fields_of, reason_of, refusal
from tests.service.test_visit_stats import ratio

INSERT = Query(
    "insert",
    """INSERT INTO booking_attempt (
           attempt_time, method, outcome, kind, specialty_required, appointment_id, match_score, is_preferred_doctor
       ) VALUES (
           %(time)s, %(method)s, %(outcome)s, 'FollowUp', %(specialty)s, %(appointment_id)s::uuid, %(score)s,
           %(preferred)s
       )""",
)
CONFIRM = Query(
    "confirm",
    """INSERT INTO event (appointment_id, version, kind, event_time, patient_id, doctor_id, actor_subject, actor_role,
                          reason, after, traceparent)
       VALUES (%(appointment_id)s::uuid, 2, %(kind)s, now(), gen_random_uuid(), gen_random_uuid(), '', 'admin', '',
               '{}', '')""",
)
REASONS = ["SLOT_TAKEN", "NO_AVAILABILITY", "TOO_SOON", "PATIENT_BUSY"]
SPECIALTIES = ["", "", "Cardiology", "cardiology", "CARDIOLOGY", "Dermatology", "Neurology"]


@dataclass(frozen=True)
class Tried:
    time: datetime
    method: str
    outcome: str
    specialty: str
    appointment_id: str | None
    score: float | None
    preferred: bool | None
    confirmed: str | None

    @property
    def succeeded(self) -> bool:
        return self.outcome == "BOOKED"

    @property
    def booked(self) -> bool:
        return self.succeeded and (self.method != "HoldSlot" or self.confirmed is not None)


def some_attempts(chance: random.Random, count: int) -> list[Tried]:
    attempts = []
    for _ in range(count):
        time = NOW - timedelta(minutes=chance.randrange(-3000, 60 * 24 * 40))
        method = chance.choice(["SmartBook", "SmartBook", "Book", "HoldSlot"])
        specialty = chance.choice(SPECIALTIES)
        if chance.random() < 0.4:
            attempts.append(Tried(time, method, chance.choice(REASONS), specialty, None, None, None, None))
            continue
        confirmed = chance.choice(["CONFIRMED", "PENDING", None]) if method == "HoldSlot" else None
        score, preferred = chance.choice([0.0, round(chance.random(), 4)]), chance.random() < 0.3
        attempts.append(Tried(time, method, "BOOKED", specialty, str(uuid4()), score, preferred, confirmed))
    return attempts


async def store(records: Records, attempts: list[Tried]) -> None:
    columns = ("time", "method", "outcome", "specialty", "appointment_id", "score", "preferred")
    async with records.ledger.database.session() as session:
        await session.execute_many(INSERT, [{name: getattr(t, name) for name in columns} for t in attempts])
        confirmed = [{"appointment_id": t.appointment_id, "kind": t.confirmed} for t in attempts if t.confirmed]
        await session.execute_many(CONFIRM, confirmed)


def figures(attempts: list[Tried]) -> pb.BookingFigures:
    booked = [t for t in attempts if t.booked]
    by = {name: [t for t in attempts if t.method == name] for name in ("SmartBook", "Book", "HoldSlot")}
    won = {name: sum(t.booked for t in tried) for name, tried in by.items()}
    scores = [Fraction(str(t.score)) for t in booked if t.score]
    failures = Counter(t.outcome for t in attempts if not t.succeeded)
    return pb.BookingFigures(
        bookings=len(booked),
        smart_bookings=won["SmartBook"],
        manual_bookings=won["Book"],
        confirmed_holds=won["HoldSlot"],
        continuity_bookings=sum(bool(t.preferred) for t in booked),
        average_match_score=ratio(sum(scores, Fraction(0)), len(scores)),
        smart_attempts=len(by["SmartBook"]),
        smart_success_rate=ratio(won["SmartBook"], len(by["SmartBook"])),
        manual_attempts=len(by["Book"]),
        manual_success_rate=ratio(won["Book"], len(by["Book"])),
        hold_attempts=len(by["HoldSlot"]),
        holds=sum(t.succeeded for t in by["HoldSlot"]),
        failures=[
            pb.BookingFailure(reason=reason, count=count)
            for reason, count in sorted(failures.items(), key=lambda pair: (-pair[1], pair[0]))
        ],
    )


def recount(attempts: list[Tried], first: date, last: date, zone: str) -> pb.GetBookingAnalyticsResponse:
    day_of = {id(t): t.time.astimezone(ZoneInfo(zone)).date() for t in attempts}
    within = [t for t in attempts if first <= day_of[id(t)] <= last]
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    wanted = Counter(t.specialty.lower() for t in within if t.specialty)
    won = Counter(t.specialty.lower() for t in within if t.succeeded)
    return pb.GetBookingAnalyticsResponse(
        days=[
            pb.BookingDay(date=from_date(day), figures=figures([t for t in within if day_of[id(t)] == day]))
            for day in days
        ],
        total=figures(within),
        specialties=[
            pb.SpecialtySuccess(
                specialty=name, attempts=count, successes=won[name], success_rate=ratio(won[name], count)
            )
            for name, count in sorted(wanted.items(), key=lambda pair: (-pair[1], pair[0]))
        ],
        timezone=zone,
    )


async def analytics(records: Records, role: Role = Role.ADMIN, **given: Any) -> pb.GetBookingAnalyticsResponse:
    dates = {name: from_date(value) if isinstance(value, date) else value for name, value in given.items()}
    return await records.call("GetBookingAnalytics", pb.GetBookingAnalyticsRequest(**dates), role)


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kathmandu", "Pacific/Kiritimati"])
async def test_every_figure_of_every_day_is_what_a_recount_finds(records: Records, zone: str):
    attempts = some_attempts(random.Random(zone), 700)  # noqa: S311 - makes data, guards nothing
    await store(records, attempts)
    today = NOW.astimezone(ZoneInfo(zone)).date()
    for first, last in ((today - timedelta(days=29), today), (today - timedelta(days=12), today - timedelta(days=12))):
        told = await analytics(records, from_date=first, to_date=last, timezone=zone)
        assert told == recount(attempts, first, last, zone)
    assert await analytics(records, timezone=zone) == recount(attempts, today - timedelta(days=29), today, zone)


async def test_a_day_on_which_the_clocks_change_has_23_or_25_hours(records: Records):
    zone, day = "America/New_York", date(2026, 3, 8)
    midnight = datetime(2026, 3, 8, 5, tzinfo=UTC)
    edges = [
        midnight - timedelta(seconds=1),
        midnight,
        midnight + timedelta(hours=23, seconds=-1),
        midnight + timedelta(hours=23),
    ]
    await store(records, [Tried(time, "Book", "TOO_SOON", "", None, None, None, None) for time in edges])
    told = await analytics(records, from_date=day - timedelta(days=1), to_date=day + timedelta(days=1), timezone=zone)
    assert [d.figures.manual_attempts for d in told.days] == [1, 2, 1]


async def test_days_without_an_attempt_are_there_and_empty(records: Records):
    told = await analytics(records)
    assert len(told.days) == 30
    assert told.days[-1].date == from_date(NOW.date())
    assert {d.figures.SerializeToString() for d in told.days} == {b""}
    assert told.total == pb.BookingFigures()


@pytest.mark.parametrize("role", [Role.PATIENT, Role.DOCTOR])
async def test_the_clinics_figures_are_the_staffs(records: Records, role: Role):
    assert reason_of(await refusal(analytics(records, role))) == "PERMISSION_DENIED"
    assert (await analytics(records, Role.SERVICE)).timezone == "UTC"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"from_date": date(2026, 3, 1), "to_date": date(2026, 2, 28)}, "to"),
        ({"from_date": date(2026, 1, 1), "to_date": date(2026, 4, 3)}, "to"),
        ({"from_date": date(2030, 1, 1)}, "to"),
        ({"to_date": date(1, 1, 1)}, "from"),
        ({"from_date": date(9999, 12, 1), "to_date": date(9999, 12, 31)}, "from"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
    ],
)
async def test_a_bad_field_is_named(records: Records, given: dict[str, Any], field: str):
    assert fields_of(await refusal(analytics(records, **given))) == [field]


async def test_ninety_two_days_are_the_most(records: Records):
    assert len((await analytics(records, from_date=date(2026, 1, 1), to_date=date(2026, 4, 2))).days) == 92
