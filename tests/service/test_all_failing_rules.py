"""A refused booking or move names every rule that it breaks, through both services, and never whose visit it was."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.rpc import error_details_pb2
from telemed.appointment.v1 import appointment_service_pb2 as pb
from telemed.type.v1 import scheduling_pb2

from chassis.context import Role
from chassis.protos import to_timestamp
from doctor_svc.domain.doctor import Doctor
from tests.fix_doctors import a_doctor, a_rule, seed
from tests.fix_pair import GENERAL, Pair
from tests.refusals import detail, reason_of, refusal, rules_of

# A Wednesday, three days after the fixture's Sunday noon.
NINE = datetime.fromisoformat("2026-03-04T09:00:00+00:00")
RULES = (
    "TOO_SOON", "DOCTOR_UNVERIFIED", "SPECIALTY_NOT_AVAILABLE", "TOO_FAR_AHEAD", "OUTSIDE_WORKING_HOURS",
    "SLOT_TAKEN", "PATIENT_BUSY", "DAILY_LIMIT_REACHED",
)  # fmt: skip
# With two hours of notice and ninety days no start is too soon and too far ahead at once.
SETS = [
    names
    for size in (1, 2, 3)
    for names in combinations(RULES, size)
    if not {"TOO_SOON", "TOO_FAR_AHEAD"} <= set(names)
]


def figures_of(error: grpc.aio.AioRpcError) -> dict[str, str]:
    return dict(detail(error, error_details_pb2.ErrorInfo()).metadata)


async def working(pair: Pair, doctor: Doctor | None = None) -> Doctor:
    """A doctor who sees patients every day from nine to twelve."""
    doctor = doctor or a_doctor()
    await seed(pair.doctor_db, [doctor], [a_rule(doctor, day) for day in range(7)])
    return doctor


async def broken(pair: Pair, names: Sequence[str], patient: str) -> tuple[Doctor, datetime, dict[str, Any]]:
    """A doctor, a start, and further fields of a booking that breaks those rules and no other."""
    doctor = await working(pair, a_doctor(verified="DOCTOR_UNVERIFIED" not in names))
    start = NINE + timedelta(hours=4 if "OUTSIDE_WORKING_HOURS" in names else 0)
    if "TOO_FAR_AHEAD" in names:
        start += timedelta(days=98)
    if "TOO_SOON" in names:
        pair.now = start - timedelta(minutes=85)
    if "SLOT_TAKEN" in names:
        await pair.claim(doctor.doctor_id, start)
    if "PATIENT_BUSY" in names:
        await pair.claim(str(uuid4()), start, patient)
    if "DAILY_LIMIT_REACHED" in names:
        for count in range(3 - ("PATIENT_BUSY" in names)):
            await pair.claim(str(uuid4()), start + timedelta(hours=count + 1), patient)
    if pair.revision:
        await pair.caught_up()
    return doctor, start, {"specialty_required": "dermatology"} if "SPECIALTY_NOT_AVAILABLE" in names else {}


@pytest.mark.parametrize("names", SETS, ids="+".join)
async def test_every_rule_that_a_booking_breaks_is_named(pair: Pair, names: tuple[str, ...]):
    patient = str(uuid4())
    doctor, start, fields = await broken(pair, names, patient)
    error = await refusal(pair.book(doctor.doctor_id, start, patient, **fields))
    assert rules_of(error) == list(names)
    assert reason_of(error) == names[0], "the first rule in the order in which booking asks"
    figures = figures_of(error)
    if "TOO_SOON" in names:
        assert figures["missing_minutes"] == "35"
    if "TOO_FAR_AHEAD" in names:
        assert (figures["last_day"], figures["opens_on"]) == ("2026-05-30", "2026-03-12")
    if "DAILY_LIMIT_REACHED" in names:
        assert figures["next_free_day"] == (start.date() + timedelta(days=1)).isoformat()


async def test_a_patient_is_told_nothing_of_the_hours_of_a_doctor_who_is_not_verified(pair: Pair):
    patient = str(uuid4())
    doctor, start, _ = await broken(pair, ("DOCTOR_UNVERIFIED", "OUTSIDE_WORKING_HOURS", "PATIENT_BUSY"), patient)
    me = pair.as_(Role.PATIENT, patient)
    error = await refusal(pair.book(doctor.doctor_id, start, patient, metadata=me))
    assert rules_of(error) == ["DOCTOR_UNVERIFIED", "PATIENT_BUSY"]


async def test_nobody_learns_from_a_refusal_whose_visit_is_in_the_way(pair: Pair):
    doctor, patient, stranger = await working(pair), str(uuid4()), str(uuid4())
    visit = await pair.claim(doctor.doctor_id, NINE, stranger)
    elsewhere = str(uuid4())
    mine = await pair.claim(elsewhere, NINE, patient)
    me = pair.as_(Role.DOCTOR, doctor.doctor_id)
    error = await refusal(pair.book(doctor.doctor_id, NINE, patient, metadata=me))
    assert rules_of(error) == ["SLOT_TAKEN", "PATIENT_BUSY"]
    everything = str(error.details()) + str(error.trailing_metadata())
    for secret in (visit, stranger, mine, elsewhere):
        assert secret not in everything


async def test_hours_with_a_notice_of_their_own_say_how_many_minutes_are_missing(pair: Pair):
    doctor = a_doctor()
    rules = [a_rule(doctor, day, notice=timedelta(hours=30)) for day in range(7)]
    await seed(pair.doctor_db, [doctor], rules)
    pair.now = NINE - timedelta(hours=29)
    error = await refusal(pair.book(doctor.doctor_id, NINE))
    assert (reason_of(error), rules_of(error)) == ("OUTSIDE_WORKING_HOURS", ["OUTSIDE_WORKING_HOURS"])
    assert figures_of(error)["missing_minutes"] == "60"
    pair.now = NINE - timedelta(hours=1)
    error = await refusal(pair.book(doctor.doctor_id, NINE))
    assert (reason_of(error), rules_of(error)) == ("TOO_SOON", ["TOO_SOON"])
    assert figures_of(error)["missing_minutes"] == str(29 * 60), "enough for the clinic and for the hours"


async def test_hours_with_a_horizon_of_their_own_say_until_when_they_are_open(pair: Pair):
    doctor = a_doctor()
    await seed(pair.doctor_db, [doctor], [a_rule(doctor, day, horizon_days=2) for day in range(7)])
    error = await refusal(pair.book(doctor.doctor_id, NINE))
    assert rules_of(error) == ["OUTSIDE_WORKING_HOURS"]
    assert figures_of(error)["last_day"] == "2026-03-03"


OF_MOVES = ("TOO_SOON", "OUTSIDE_WORKING_HOURS", "TOO_LATE_TO_RESCHEDULE", *RULES[5:])
MOVES = [names for size in (1, 2, 3) for names in combinations(OF_MOVES, size)]


@pytest.mark.parametrize("names", MOVES, ids="+".join)
async def test_every_rule_that_a_move_breaks_is_named_and_the_visit_itself_is_in_no_ones_way(
    pair: Pair, names: tuple[str, ...]
):
    patient = str(uuid4())
    doctor, start, _ = await broken(pair, names, patient)
    # So near that it overlaps the new time, or days away: neither is in the way, and the day is another one's.
    old = pair.now + timedelta(hours=40) if "TOO_LATE_TO_RESCHEDULE" in names else NINE + timedelta(days=30)
    mine = await pair.claim(doctor.doctor_id, old, patient)
    await pair.caught_up()
    request = pb.RescheduleAppointmentRequest(id=mine, start_time=to_timestamp(start))
    me = pair.as_(Role.PATIENT, patient)
    error = await refusal(pair.appointments.RescheduleAppointment(request, metadata=me))
    assert sorted(rules_of(error)) == sorted(names)
    assert rules_of(error)[0] == reason_of(error)


async def test_a_visit_that_is_over_can_neither_be_called_off_in_time_nor_at_all(pair: Pair):
    doctor, patient = await working(pair), str(uuid4())
    booked = (await pair.book(doctor.doctor_id, NINE, patient)).appointment
    me = pair.as_(Role.PATIENT, patient)
    cancel = pb.CancelAppointmentRequest(id=booked.id)
    await pair.appointments.CancelAppointment(cancel, metadata=me)
    pair.now = NINE + timedelta(days=1)
    error = await refusal(pair.appointments.CancelAppointment(cancel, metadata=me))
    assert (reason_of(error), rules_of(error)) == ("WRONG_STATE", ["WRONG_STATE", "TOO_LATE_TO_CANCEL"])


async def test_a_smart_booking_on_a_full_day_says_so_and_offers_the_days_around_it(pair: Pair):
    specialty = f"Balneology {uuid4().hex[:6]}"
    await working(pair, a_doctor(specialty=specialty))
    patient = str(uuid4())
    for count in range(3):
        await pair.claim(str(uuid4()), NINE + timedelta(hours=count + 5), patient)
    await pair.caught_up()
    wish = pb.SmartBookRequest(
        patient_id=patient,
        appointment_type=GENERAL,
        specialty_required=specialty,
        preferred_date={"year": 2026, "month": 3, "day": NINE.day},
    )
    error = await refusal(pair.appointments.SmartBook(wish, metadata=pair.admin()))
    assert (reason_of(error), rules_of(error)) == ("DAILY_LIMIT_REACHED", ["DAILY_LIMIT_REACHED"])
    offered = detail(error, scheduling_pb2.Alternatives()).slots
    assert offered
    assert all(slot.start_time.ToDatetime().date() != NINE.date() for slot in offered)


async def test_a_refusal_stands_although_the_doctor_service_cannot_say_more(pair: Pair):
    far_away = datetime.fromisoformat("9999-12-31T23:59:00+00:00")
    error = await refusal(pair.book(str(uuid4()), pair.now + timedelta(minutes=5)))
    assert (reason_of(error), rules_of(error)) == ("TOO_SOON", ["TOO_SOON"])
    error = await refusal(pair.book(str(uuid4()), far_away))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
