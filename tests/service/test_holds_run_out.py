"""A hold through both services: nobody is offered its time while it lasts, and everybody from its end on."""

from datetime import timedelta
from uuid import uuid4

from google.protobuf.timestamp_pb2 import Timestamp
from telemed.appointment.v1 import appointment_pb2
from telemed.appointment.v1 import appointment_service_pb2 as appointments_pb
from telemed.doctor.v1 import doctor_service_pb2 as doctors_pb

from chassis.protos import from_date, to_timestamp
from tests.fix_doctors import NOON, WORKING_DAYS, a_doctor, a_rule, seed
from tests.fix_pair import GENERAL, Pair
from tests.refusals import reason_of, refusal

MONDAY_NINE = NOON + timedelta(hours=21)
TTL = timedelta(minutes=10)


async def a_working_doctor(pair: Pair) -> str:
    doctor = a_doctor()
    await seed(pair.doctor_db, [doctor], [a_rule(doctor, day) for day in WORKING_DAYS])
    return doctor.doctor_id


async def hold(pair: Pair, doctor: str) -> appointment_pb2.Appointment:
    wish = appointments_pb.HoldSlotRequest(
        patient_id=str(uuid4()),
        doctor_id=doctor,
        appointment_date=to_timestamp(MONDAY_NINE),
        appointment_type=GENERAL,
    )
    reply = await pair.appointments.HoldSlot(wish, metadata=pair.admin())
    pair.revision = reply.revision
    held: appointment_pb2.Appointment = reply.appointment
    return held


async def first_free(pair: Pair, doctor: str) -> Timestamp:
    request = doctors_pb.GetAvailabilityRequest(
        doctor_id=doctor, date=from_date(MONDAY_NINE.date()), at_least_revision=pair.revision
    )
    answer = await pair.doctors.GetAvailability(request, metadata=pair.admin())
    return answer.morning_slots[0].start_time


async def test_a_held_time_is_offered_again_when_the_hold_runs_out_and_is_then_booked(pair: Pair):
    doctor = await a_working_doctor(pair)
    held = await hold(pair, doctor)
    assert held.hold_expire_time == to_timestamp(NOON + TTL)
    assert await first_free(pair, doctor) == to_timestamp(MONDAY_NINE + timedelta(minutes=40))
    assert reason_of(await refusal(pair.book(doctor, MONDAY_NINE))) == "SLOT_TAKEN"

    pair.now += TTL
    assert await first_free(pair, doctor) == to_timestamp(MONDAY_NINE)
    assert (await pair.book(doctor, MONDAY_NINE)).appointment.start_time == to_timestamp(MONDAY_NINE)
    late = pair.appointments.ConfirmHold(appointments_pb.ConfirmHoldRequest(id=held.id), metadata=pair.admin())
    assert reason_of(await refusal(late)) == "HOLD_EXPIRED"


async def test_a_hold_that_was_confirmed_in_time_is_kept_for_good(pair: Pair):
    doctor = await a_working_doctor(pair)
    held = await hold(pair, doctor)
    pair.now += TTL - timedelta(minutes=1)
    confirm = appointments_pb.ConfirmHoldRequest(id=held.id)
    pair.revision = (await pair.appointments.ConfirmHold(confirm, metadata=pair.admin())).revision
    pair.now += TTL
    assert await first_free(pair, doctor) == to_timestamp(MONDAY_NINE + timedelta(minutes=40))
    assert reason_of(await refusal(pair.book(doctor, MONDAY_NINE))) == "SLOT_TAKEN"
