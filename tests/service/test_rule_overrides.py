"""Staff set rules aside, with a reason that the history keeps; nobody sets aside that a time is taken."""

import asyncio
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any
from uuid import uuid4

import grpc
import pytest
from telemed.appointment.v1 import appointment_pb2, history_pb2
from telemed.appointment.v1 import appointment_service_pb2 as pb

from chassis.context import Role
from chassis.protos import to_timestamp
from doctor_svc.domain.doctor import Doctor
from tests.fix_doctors import a_doctor, a_rule, seed
from tests.fix_pair import Pair
from tests.refusals import fields_of, reason_of, refusal, rules_of

NINE = datetime.fromisoformat("2026-03-04T09:00:00+00:00")
BOOKING_RULES = ("TOO_SOON", "TOO_FAR_AHEAD", "OUTSIDE_WORKING_HOURS", "DAILY_LIMIT_REACHED")
SETS = [
    names
    for size in (1, 2, 3)
    for names in combinations(BOOKING_RULES, size)
    if not {"TOO_SOON", "TOO_FAR_AHEAD"} <= set(names)
]
OVERRIDDEN = appointment_pb2.CHANGE_KIND_RULE_OVERRIDDEN


def override(*names: str, reason: str = "the patient is abroad") -> appointment_pb2.RuleOverride:
    return appointment_pb2.RuleOverride(rules=[f"OVERRIDABLE_RULE_{name}" for name in names], reason=reason)


async def working(pair: Pair) -> Doctor:
    doctor = a_doctor()
    await seed(pair.doctor_db, [doctor], [a_rule(doctor, day) for day in range(7)])
    return doctor


async def broken(pair: Pair, names: tuple[str, ...], patient: str) -> tuple[Doctor, datetime]:
    """A doctor and a start at which a booking breaks those rules and no other."""
    doctor = await working(pair)
    start = NINE + timedelta(hours=4 if "OUTSIDE_WORKING_HOURS" in names else 0)
    start += timedelta(days=98 if "TOO_FAR_AHEAD" in names else 0)
    if "TOO_SOON" in names:
        pair.now = start - timedelta(minutes=85)
    if "DAILY_LIMIT_REACHED" in names:
        for count in range(3):
            await pair.claim(str(uuid4()), start + timedelta(hours=count + 1), patient)
    return doctor, start


async def history(pair: Pair, appointment_id: str, who: Any = None) -> list[history_pb2.AppointmentEvent]:
    request = history_pb2.ListEventsRequest(id=appointment_id)
    return list((await pair.appointments.ListEvents(request, metadata=who or pair.admin())).events)


def told(event: history_pb2.AppointmentEvent) -> list[str]:
    names = appointment_pb2.OverridableRule.Name
    return [names(rule).removeprefix("OVERRIDABLE_RULE_") for rule in event.overridden_rules]


@pytest.mark.parametrize("names", SETS, ids="+".join)
async def test_an_administrator_books_past_the_rules_named_and_the_history_tells_of_it(
    pair: Pair, names: tuple[str, ...]
):
    patient = str(uuid4())
    doctor, start = await broken(pair, names, patient)
    for missing in names:
        rest = [name for name in BOOKING_RULES if name != missing]
        error = await refusal(pair.book(doctor.doctor_id, start, patient, override=override(*rest)))
        assert (reason_of(error), rules_of(error)) == (missing, [missing])
    key = str(uuid4())
    wish = {"override": override(*BOOKING_RULES), "request_id": key}
    booked = await pair.book(doctor.doctor_id, start, patient, **wish)
    assert await pair.book(doctor.doctor_id, start, patient, **wish) == booked
    events = await history(pair, booked.appointment.id)
    assert [event.version for event in events] == [1, 2]
    assert events[1].kind == OVERRIDDEN
    assert told(events[1]) == list(names), "those in the way, and no other"
    assert events[1].reason == "the patient is abroad"
    assert booked.appointment.etag == "2"
    seen = await pair.appointments.GetAppointment(
        pb.GetAppointmentRequest(id=booked.appointment.id), metadata=pair.admin()
    )
    assert seen == booked.appointment


async def test_an_override_that_nothing_needs_changes_nothing(pair: Pair):
    doctor = await working(pair)
    booked = await pair.book(doctor.doctor_id, NINE, override=override(*BOOKING_RULES))
    assert booked.appointment.etag == "1"
    assert [event.kind for event in await history(pair, booked.appointment.id)] == [appointment_pb2.CHANGE_KIND_BOOKED]


async def test_a_patient_reads_which_rules_were_set_aside_but_not_the_staffs_words(pair: Pair):
    patient = str(uuid4())
    doctor, start = await broken(pair, ("TOO_SOON",), patient)
    booked = await pair.book(doctor.doctor_id, start, patient, override=override("TOO_SOON"))
    told_to_patient = (await history(pair, booked.appointment.id, pair.as_(Role.PATIENT, patient)))[1]
    assert (told(told_to_patient), told_to_patient.reason, told_to_patient.actor_id) == (["TOO_SOON"], "", "")


async def test_the_doctor_books_past_the_rules_in_their_own_diary_and_in_no_other(pair: Pair):
    doctor, start = await broken(pair, ("TOO_SOON", "OUTSIDE_WORKING_HOURS"), "")
    wish = {"override": override("TOO_SOON", "OUTSIDE_WORKING_HOURS")}
    stranger = pair.as_(Role.DOCTOR, str(uuid4()))
    error = await refusal(pair.book(doctor.doctor_id, start, metadata=stranger, **wish))
    assert error.code() is grpc.StatusCode.PERMISSION_DENIED
    me = pair.as_(Role.DOCTOR, doctor.doctor_id)
    booked = await pair.book(doctor.doctor_id, start, metadata=me, **wish)
    assert told((await history(pair, booked.appointment.id))[1]) == ["TOO_SOON", "OUTSIDE_WORKING_HOURS"]


@pytest.mark.parametrize("role", [Role.PATIENT, Role.SERVICE])
async def test_nobody_else_sets_rules_aside(pair: Pair, role: Role):
    patient = str(uuid4())
    doctor = await working(pair)
    mine = await pair.claim(doctor.doctor_id, NINE, patient)
    who = pair.as_(role, patient)
    calls = [
        pair.book(doctor.doctor_id, NINE, patient, metadata=who, override=override("TOO_SOON")),
        pair.appointments.RescheduleAppointment(
            pb.RescheduleAppointmentRequest(
                id=mine, start_time=to_timestamp(NINE), override=override("TOO_LATE_TO_RESCHEDULE")
            ),
            metadata=who,
        ),
        pair.appointments.CancelAppointment(
            pb.CancelAppointmentRequest(id=mine, override=override("TOO_LATE_TO_CANCEL")), metadata=who
        ),
    ]
    for call in calls:
        assert (await refusal(call)).code() is grpc.StatusCode.PERMISSION_DENIED


async def test_that_a_time_is_taken_or_the_patient_elsewhere_is_never_set_aside(pair: Pair):
    patient = str(uuid4())
    doctor, start = await broken(pair, BOOKING_RULES[1:], patient)
    await pair.claim(doctor.doctor_id, start)
    await pair.claim(str(uuid4()), start, patient, day=start.date() + timedelta(days=1))
    error = await refusal(pair.book(doctor.doctor_id, start, patient, override=override(*BOOKING_RULES)))
    assert (reason_of(error), rules_of(error)) == ("SLOT_TAKEN", ["SLOT_TAKEN", "PATIENT_BUSY"])


async def test_of_twenty_who_override_at_once_one_gets_the_time(pair: Pair):
    doctor, start = await broken(pair, ("OUTSIDE_WORKING_HOURS",), "")
    wishes = (pair.book(doctor.doctor_id, start, override=override("OUTSIDE_WORKING_HOURS")) for _ in range(20))
    outcomes = await asyncio.gather(*wishes, return_exceptions=True)
    refused = [error for error in outcomes if isinstance(error, grpc.aio.AioRpcError)]
    assert len(refused) == 19
    assert {reason_of(error) for error in refused} == {"SLOT_TAKEN"}


async def test_a_visit_over_the_limit_takes_none_of_the_patients_places(pair: Pair):
    patient = str(uuid4())
    doctor = await working(pair)
    visits = [await pair.claim(str(uuid4()), NINE + timedelta(hours=4 + count), patient) for count in range(3)]
    await pair.book(doctor.doctor_id, NINE, patient, override=override("DAILY_LIMIT_REACHED"))
    later = NINE + timedelta(minutes=40)
    assert reason_of(await refusal(pair.book(doctor.doctor_id, later, patient))) == "DAILY_LIMIT_REACHED"
    cancel = pb.CancelAppointmentRequest(id=visits[1])
    await pair.appointments.CancelAppointment(cancel, metadata=pair.admin())
    await pair.book(doctor.doctor_id, later, patient)
    last = later + timedelta(minutes=40)
    assert reason_of(await refusal(pair.book(doctor.doctor_id, last, patient))) == "DAILY_LIMIT_REACHED"


MOVES = [names for size in (1, 2) for names in combinations((*BOOKING_RULES, "TOO_LATE_TO_RESCHEDULE"), size)]


@pytest.mark.parametrize("names", [n for n in MOVES if not {"TOO_SOON", "TOO_FAR_AHEAD"} <= set(n)], ids="+".join)
async def test_an_administrator_moves_a_visit_past_the_rules_named(pair: Pair, names: tuple[str, ...]):
    patient = str(uuid4())
    doctor, start = await broken(pair, names, patient)
    old = pair.now + timedelta(hours=40) if "TOO_LATE_TO_RESCHEDULE" in names else NINE + timedelta(days=30)
    mine = await pair.claim(doctor.doctor_id, old, patient)
    request = pb.RescheduleAppointmentRequest(id=mine, start_time=to_timestamp(start), request_id=str(uuid4()))
    error = await refusal(pair.appointments.RescheduleAppointment(request, metadata=pair.admin()))
    assert sorted(rules_of(error)) == sorted(names)
    request.override.CopyFrom(override(*names[1:] or ["TOO_FAR_AHEAD" if names == ("TOO_SOON",) else "TOO_SOON"]))
    error = await refusal(pair.appointments.RescheduleAppointment(request, metadata=pair.admin()))
    assert reason_of(error) in names
    request.override.CopyFrom(override(*BOOKING_RULES, "TOO_LATE_TO_RESCHEDULE"))
    moved = await pair.appointments.RescheduleAppointment(request, metadata=pair.admin())
    assert await pair.appointments.RescheduleAppointment(request, metadata=pair.admin()) == moved
    assert (moved.appointment.start_time, moved.appointment.etag) == (to_timestamp(start), "3")
    events = await history(pair, mine)
    assert [event.kind for event in events[1:]] == [appointment_pb2.CHANGE_KIND_RESCHEDULED, OVERRIDDEN]
    assert sorted(told(events[2])) == sorted(names)


async def test_an_administrator_calls_off_a_visit_too_late_with_a_reason_and_a_doctor_needs_none(pair: Pair):
    patient = str(uuid4())
    doctor = await working(pair)
    visits = [await pair.claim(doctor.doctor_id, NINE + timedelta(hours=count), patient) for count in range(2)]
    pair.now = NINE - timedelta(hours=23)
    cancel = pb.CancelAppointmentRequest(id=visits[0], reason="ill", request_id=str(uuid4()))
    error = await refusal(pair.appointments.CancelAppointment(cancel, metadata=pair.admin()))
    assert (reason_of(error), rules_of(error)) == ("TOO_LATE_TO_CANCEL", ["TOO_LATE_TO_CANCEL"])
    cancel.override.CopyFrom(override("TOO_LATE_TO_CANCEL", reason="  taken to hospital "))
    called_off = await pair.appointments.CancelAppointment(cancel, metadata=pair.admin())
    assert await pair.appointments.CancelAppointment(cancel, metadata=pair.admin()) == called_off
    assert (called_off.appointment.etag, called_off.appointment.cancel_reason) == ("3", "ill")
    events = await history(pair, visits[0])
    assert [event.kind for event in events[1:]] == [appointment_pb2.CHANGE_KIND_CANCELLED, OVERRIDDEN]
    assert (told(events[2]), events[2].reason) == (["TOO_LATE_TO_CANCEL"], "taken to hospital")
    by_doctor = pb.CancelAppointmentRequest(id=visits[1])
    me = pair.as_(Role.DOCTOR, doctor.doctor_id)
    assert (await pair.appointments.CancelAppointment(by_doctor, metadata=me)).appointment.etag == "2"


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (override(), "override.rules"),
        (override("TOO_LATE_TO_CANCEL"), "override.rules"),
        (override("TOO_SOON", reason=""), "override.reason"),
        (override("TOO_SOON", reason="  "), "override.reason"),
        (override("TOO_SOON", reason="x" * 501), "override.reason"),
        (override("TOO_SOON", reason="a\x00b"), "override.reason"),
        (appointment_pb2.RuleOverride(rules=[99], reason="x"), "override.rules"),
        (appointment_pb2.RuleOverride(rules=[0], reason="x"), "override.rules"),
    ],
)
async def test_a_bad_override_is_named(pair: Pair, given: appointment_pb2.RuleOverride, named: str):
    error = await refusal(pair.book(str(uuid4()), NINE, override=given))
    assert (error.code(), fields_of(error)) == (grpc.StatusCode.INVALID_ARGUMENT, [named])


async def test_an_override_needs_a_doctor(pair: Pair):
    error = await refusal(pair.book("", NINE, override=override("TOO_SOON")))
    assert fields_of(error) == ["doctor_id"]
