"""Every time that is offered in place of another, or beside it, is then really booked for that patient."""

import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import grpc
import pytest
from grpc_status import rpc_status
from telemed.appointment.v1 import appointment_service_pb2 as pb
from telemed.type.v1 import scheduling_pb2

from chassis.context import Role
from chassis.protos import to_timestamp
from kernel.civil_time import day_of, zone_named
from tests.fix_doctors import a_doctor, a_rule, seed
from tests.fix_pair import GENERAL, Pair
from tests.random_clinic import KINDS, NUMBERS, some_doctor, some_start, some_visits
from tests.refusals import reason_of, refusal

DIARIES, CHUNKS = 80, 8
OF_A_WISH = {"NO_AVAILABILITY", "TOO_SOON", "DAILY_LIMIT_REACHED", "PATIENT_BUSY"}
MINUTE = timedelta(minutes=1)


def instants(slots: Iterable[Any]) -> list[datetime]:
    return [slot.start_time.ToDatetime(tzinfo=UTC) for slot in slots]


async def each_is_booked(pair: Pair, slots: Iterable[Any], patient: str) -> int:
    """Books each slot for the patient, and gives it back before the next."""
    count = 0
    for slot in slots:
        booked = await pair.book(
            slot.doctor_id,
            slot.start_time.ToDatetime(tzinfo=UTC),
            patient,
            appointment_type=slot.appointment_type,
            duration_minutes=(slot.end_time.seconds - slot.start_time.seconds) // 60,
        )
        assert booked.appointment.end_time == slot.end_time
        cancel = pb.CancelAppointmentRequest(id=booked.appointment.id)
        await pair.appointments.CancelAppointment(cancel, metadata=pair.as_(Role.DOCTOR, slot.doctor_id))
        count += 1
    return count


def alternatives_of(error: grpc.aio.AioRpcError) -> list[scheduling_pb2.AlternativeSlot]:
    status, found = rpc_status.from_call(error), scheduling_pb2.Alternatives()
    assert status is not None
    for packed in status.details:
        packed.Unpack(found)
    return list(found.slots)


async def offered_by_smart_booking(pair: Pair, wish: pb.SmartBookRequest) -> list[scheduling_pb2.AlternativeSlot]:
    """What a smart booking offers, made or refused; one that was made is called off again."""
    try:
        made = await pair.appointments.SmartBook(wish, metadata=pair.admin())
    except grpc.aio.AioRpcError as error:
        if reason_of(error) not in OF_A_WISH:
            raise
        return alternatives_of(error)
    cancel = pb.CancelAppointmentRequest(id=made.appointment.id)
    await pair.appointments.CancelAppointment(cancel, metadata=pair.as_(Role.DOCTOR, made.appointment.doctor_id))
    return list(made.alternative_slots)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("number", range(CHUNKS))
async def test_whatever_a_conflict_or_a_refusal_or_a_booking_offers_is_bookable(pair: Pair, number: int):
    chance = random.Random(number)  # noqa: S311 - makes cases, guards nothing
    booked = 0
    for _ in range(DIARIES // CHUNKS):
        specialty, patient = f"Hydrology {uuid4().hex[:8]}", str(uuid4())
        doctor = await some_doctor(pair, chance, specialty=specialty)
        await some_visits(pair, chance, doctor, patient)
        kind, start = chance.choice(KINDS), some_start(pair, chance)
        minutes = chance.choice((20, 30))
        question = pb.CheckConflictsRequest(
            doctor_id=doctor.doctor_id,
            start_time=to_timestamp(start),
            end_time=to_timestamp(start + minutes * MINUTE),
            appointment_type=NUMBERS[kind],
            patient_id=patient,
        )
        answer = await pair.appointments.CheckConflicts(question, metadata=pair.admin())
        near = instants(answer.suggested_alternatives)
        zone = zone_named(doctor.profile.timezone)
        assert near == sorted(near, key=lambda at: (day_of(at, zone) != day_of(start, zone), abs(at - start), at))
        assert len(near) <= 5
        booked += await each_is_booked(pair, answer.suggested_alternatives, patient)
        try:
            fields = {"appointment_type": NUMBERS[kind], "duration_minutes": minutes}
            await pair.book(doctor.doctor_id, start, patient, **fields)
            assert not answer.has_conflict
            assert not near, "what can be booked needs no alternative"
        except grpc.aio.AioRpcError as error:
            booked += await each_is_booked(pair, alternatives_of(error), patient)
        await pair.caught_up()
        wish = pb.SmartBookRequest(
            patient_id=patient,
            appointment_type=NUMBERS[kind],
            duration_minutes=minutes,
            specialty_required=specialty,
            accept_outside_window=chance.random() < 0.5,
        )
        if chance.random() < 0.7:
            wish.preferred_date.year, wish.preferred_date.month, wish.preferred_date.day = start.timetuple()[:3]
        booked += await each_is_booked(pair, await offered_by_smart_booking(pair, wish), patient)
    assert booked > 3 * DIARIES // CHUNKS, "random clinics that offer next to nothing prove little"


async def test_conflicts_offer_both_sides_of_the_same_day_first_then_the_days_around_it(pair: Pair):
    doctor = a_doctor()
    await seed(pair.doctor_db, [doctor], [a_rule(doctor, day) for day in range(7)])
    ten_twenty = datetime.fromisoformat("2026-03-04T10:20:00+00:00")
    await pair.claim(doctor.doctor_id, ten_twenty)
    question = pb.CheckConflictsRequest(
        doctor_id=doctor.doctor_id, start_time=to_timestamp(ten_twenty), end_time=to_timestamp(ten_twenty + 30 * MINUTE)
    )
    answer = await pair.appointments.CheckConflicts(question, metadata=pair.admin())
    assert [f"{at:%d %H:%M}" for at in instants(answer.suggested_alternatives)] == [
        "04 09:40", "04 11:00", "04 09:00", "05 09:00", "03 11:00",
    ]  # fmt: skip


async def test_a_patient_who_asks_is_offered_no_time_of_another_visit_of_theirs(pair: Pair):
    doctor, patient = a_doctor(), str(uuid4())
    await seed(pair.doctor_db, [doctor], [a_rule(doctor, day) for day in range(7)])
    nine = datetime.fromisoformat("2026-03-04T09:00:00+00:00")
    await pair.claim(doctor.doctor_id, nine)
    mine = await pair.claim(str(uuid4()), nine + 40 * MINUTE, patient)
    question = pb.CheckConflictsRequest(
        doctor_id=doctor.doctor_id, start_time=to_timestamp(nine), end_time=to_timestamp(nine + 60 * MINUTE)
    )
    me = pair.as_(Role.PATIENT, patient)
    answer = await pair.appointments.CheckConflicts(question, metadata=me)
    assert [(c.id, c.kind) for c in answer.conflicting_appointments] == [
        ("", pb.CONFLICT_KIND_DOCTOR_BUSY),
        (mine, pb.CONFLICT_KIND_PATIENT_BUSY),
    ]
    assert nine + 40 * MINUTE not in instants(answer.suggested_alternatives)
    question.exclude_appointment_id = mine
    answer = await pair.appointments.CheckConflicts(question, metadata=me)
    assert [c.kind for c in answer.conflicting_appointments] == [pb.CONFLICT_KIND_DOCTOR_BUSY]


async def test_a_group_has_a_conflict_once_its_last_seat_is_taken(pair: Pair):
    doctor = a_doctor()
    group = scheduling_pb2.APPOINTMENT_TYPE_GROUP_SESSION
    rules = [a_rule(doctor, day, kind=KINDS[2], capacity=2) for day in range(7)]
    await seed(pair.doctor_db, [doctor], rules)
    ten = datetime.fromisoformat("2026-03-04T10:00:00+00:00")
    question = pb.CheckConflictsRequest(
        doctor_id=doctor.doctor_id,
        start_time=to_timestamp(ten),
        end_time=to_timestamp(ten + 30 * MINUTE),
        appointment_type=group,
    )
    told = []
    for _ in range(3):
        answer = await pair.appointments.CheckConflicts(question, metadata=pair.admin())
        told.append((answer.has_conflict, len(answer.conflicting_appointments)))
        if not answer.has_conflict:
            await pair.book(doctor.doctor_id, ten, appointment_type=group, duration_minutes=30)
    assert told == [(False, 0), (False, 0), (True, 2)]
    question.appointment_type = GENERAL
    answer = await pair.appointments.CheckConflicts(question, metadata=pair.admin())
    assert len(answer.conflicting_appointments) == 2, "another kind never shares the time"


async def test_a_conflict_is_known_the_moment_the_booking_is_answered(pair: Pair):
    doctor = a_doctor()
    await seed(pair.doctor_db, [doctor], [a_rule(doctor, day) for day in range(7)])
    nine = datetime.fromisoformat("2026-03-04T09:00:00+00:00")
    for count in range(10):
        start = nine + timedelta(days=count)
        question = pb.CheckConflictsRequest(
            doctor_id=doctor.doctor_id, start_time=to_timestamp(start), end_time=to_timestamp(start + 30 * MINUTE)
        )
        assert not (await pair.appointments.CheckConflicts(question, metadata=pair.admin())).has_conflict
        await pair.book(doctor.doctor_id, start)
        assert (await pair.appointments.CheckConflicts(question, metadata=pair.admin())).has_conflict
    error = await refusal(pair.book(doctor.doctor_id, nine))
    assert reason_of(error) == "SLOT_TAKEN"
