"""Every attempt to book leaves one row, whatever came of it and by whichever way; a repeat leaves none."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import grpc
import psycopg
import pytest
from google.protobuf.message import Message
from telemed.appointment.v1 import appointment_service_pb2 as pb
from telemed.appointment.v1 import statistics_pb2
from telemed.doctor.v1 import doctor_pb2

from chassis.context import Role
from chassis.protos import from_date, to_timestamp
from tests.fix_ledger import NOW, TEN
from tests.fix_practice import ADMIN, GENERAL, Practice, offered
from tests.refusals import reason_of, refusal

LATER = TEN + timedelta(minutes=40)
Call = Callable[[Practice, doctor_pb2.DoctorMatch], Awaitable[Message]]


async def rows(url: str) -> list[tuple[str, str]]:
    async with await psycopg.AsyncConnection.connect(url) as connection:
        cursor = await connection.execute("SELECT method, outcome FROM booking_attempt ORDER BY attempt_id")
        return await cursor.fetchall()


def by(way: str, **fields: Any) -> Call:
    """A call of one way to book, for ten o'clock unless `fields` say otherwise."""
    given = {"patient_id": str(uuid4()), "appointment_type": GENERAL} | fields

    async def call(practice: Practice, match: doctor_pb2.DoctorMatch) -> Message:
        metadata = practice.callers.metadata(Role.ADMIN, ADMIN)
        if way == "SmartBook":
            return await practice.appointments.SmartBook(pb.SmartBookRequest(**given), metadata=metadata)
        wish = {"doctor_id": match.doctor_id, "appointment_date": to_timestamp(TEN)} | given
        request = pb.BookRequest(**wish) if way == "Book" else pb.HoldSlotRequest(**wish)
        return await getattr(practice.appointments, way)(request, metadata=metadata)

    return call


EXACT = ("Book", "HoldSlot")
WAYS = ("SmartBook", *EXACT)
FAR = NOW + timedelta(days=200)


@pytest.mark.parametrize("way", WAYS)
async def test_a_success_leaves_a_row_and_its_repeats_none(practice: Practice, appointment_db_url: str, way: str):
    match = practice.doctors.offer(exact_slot=offered(TEN), slots=[offered(TEN), offered(LATER)])
    call = by(way, request_id="the-same-key")
    answers = await asyncio.gather(*(call(practice, match) for _ in range(10)))
    answers.append(await call(practice, match))
    assert len({answer.SerializeToString() for answer in answers}) == 1
    assert await rows(appointment_db_url) == [(way, "BOOKED")]


@pytest.mark.parametrize("way", WAYS)
async def test_a_failure_that_is_tried_again_is_another_attempt(practice: Practice, appointment_db_url: str, way: str):
    match = practice.doctors.offer()
    call = by(way, request_id="the-same-key")
    reason = "NO_AVAILABILITY" if way == "SmartBook" else "OUTSIDE_WORKING_HOURS"
    for _ in range(2):
        assert reason_of(await refusal(call(practice, match))) == reason
    match.exact_slot.CopyFrom(offered(TEN))
    match.slots.append(offered(TEN))
    await call(practice, match)
    await call(practice, match)
    assert await rows(appointment_db_url) == [(way, reason), (way, reason), (way, "BOOKED")]


@pytest.mark.parametrize(
    ("way", "fields", "reason"),
    [
        *((way, {"appointment_date": to_timestamp(NOW)}, "TOO_SOON") for way in EXACT),
        *((way, {"appointment_date": to_timestamp(FAR)}, "TOO_FAR_AHEAD") for way in EXACT),
        *((way, {"appointment_date": to_timestamp(LATER)}, "OUTSIDE_WORKING_HOURS") for way in EXACT),
        ("SmartBook", {"preferred_date": from_date((NOW - timedelta(days=2)).date())}, "TOO_SOON"),
        ("SmartBook", {"preferred_date": from_date(FAR.date())}, "TOO_FAR_AHEAD"),
        ("SmartBook", {}, "NO_AVAILABILITY"),
    ],
)
async def test_a_rule_that_is_broken_is_the_outcome(
    practice: Practice, appointment_db_url: str, way: str, fields: dict[str, Any], reason: str
):
    match = practice.doctors.offer()
    assert reason_of(await refusal(by(way, **fields)(practice, match))) == reason
    assert await rows(appointment_db_url) == [(way, reason)]


@pytest.mark.parametrize("way", WAYS)
async def test_what_the_ledger_refuses_is_the_outcome(practice: Practice, appointment_db_url: str, way: str):
    patient = str(uuid4())
    match = practice.doctors.offer(exact_slot=offered(TEN), slots=[offered(TEN)])
    await by("Book", patient_id=patient)(practice, match)
    taken = "NO_AVAILABILITY" if way == "SmartBook" else "SLOT_TAKEN"
    assert reason_of(await refusal(by(way)(practice, match))) == taken
    other = practice.doctors.offer(exact_slot=offered(TEN), slots=[offered(TEN)])
    practice.doctors.matches.remove(match)
    assert reason_of(await refusal(by(way, patient_id=patient)(practice, other))) in ("PATIENT_BUSY", "NO_AVAILABILITY")
    noted = await rows(appointment_db_url)
    assert noted[:2] == [("Book", "BOOKED"), (way, taken)]
    assert (len(noted), noted[2][0]) == (3, way)


@pytest.mark.parametrize("way", WAYS)
async def test_what_is_no_wish_at_all_is_no_attempt(practice: Practice, appointment_db_url: str, way: str):
    match = practice.doctors.offer(exact_slot=offered(TEN), slots=[offered(TEN)])
    assert reason_of(await refusal(by(way, duration_minutes=1)(practice, match))) == "INVALID_ARGUMENT"
    wish = {"patient_id": str(uuid4()), "appointment_type": GENERAL}
    stranger = practice.callers.metadata(Role.PATIENT, str(uuid4()))
    request = pb.SmartBookRequest(**wish) if way == "SmartBook" else None
    if request is None:
        kind = pb.BookRequest if way == "Book" else pb.HoldSlotRequest
        request = kind(doctor_id=match.doctor_id, appointment_date=to_timestamp(TEN), **wish)
    error = await refusal(getattr(practice.appointments, way)(request, metadata=stranger))
    assert reason_of(error) == "PERMISSION_DENIED"
    assert await rows(appointment_db_url) == []


async def test_a_race_leaves_one_success_and_a_row_for_every_loser(practice: Practice, appointment_db_url: str):
    match = practice.doctors.offer(exact_slot=offered(TEN), slots=[offered(TEN)])
    ways = [WAYS[number % 3] for number in range(30)]
    results = await asyncio.gather(*(by(way)(practice, match) for way in ways), return_exceptions=True)
    assert sum(not isinstance(result, grpc.aio.AioRpcError) for result in results) == 1
    noted = await rows(appointment_db_url)
    assert Counter(way for way, _ in noted) == Counter(ways)
    assert Counter(outcome == "BOOKED" for _, outcome in noted) == {True: 1, False: 29}


async def test_a_hold_becomes_a_booking_in_the_figures_once_it_is_confirmed(practice: Practice):
    practice.doctors.offer(exact_slot=offered(TEN), is_preferred_doctor=True)
    held = await practice.hold(practice.doctors.matches[0])

    async def total() -> statistics_pb2.BookingFigures:
        metadata = practice.callers.metadata(Role.ADMIN, ADMIN)
        request = statistics_pb2.GetBookingAnalyticsRequest()
        return (await practice.appointments.GetBookingAnalytics(request, metadata=metadata)).total

    before = await total()
    assert (before.hold_attempts, before.holds, before.confirmed_holds, before.bookings) == (1, 1, 0, 0)
    await practice.confirm(held.appointment.id)
    after = await total()
    assert (after.holds, after.confirmed_holds, after.bookings, after.continuity_bookings) == (1, 1, 1, 1)
    assert after.average_match_score == 0.5
