"""Through both services, over random clinics: an explanation says bookable just when Book then succeeds.

Where it does not, both name the same rules. tests/domain/doctor/test_explain_agrees_with_booking.py tries many more
cases on the explanation alone.
"""

import random

import grpc
import pytest
from telemed.doctor.v1 import doctor_pb2, doctor_service_pb2

from chassis.protos import to_timestamp
from tests.fix_pair import Pair
from tests.random_clinic import KINDS, NUMBERS, some_doctor, some_start, some_visits
from tests.refusals import rules_of

CLINICS, CHUNKS, WISHES = 24, 3, 24
RULES = doctor_pb2.ExclusionRule
# What booking calls the rules; the hours' own notice and horizon are part of the hours for it.
CALLED = {
    RULES.EXCLUSION_RULE_UNVERIFIED: "DOCTOR_UNVERIFIED",
    RULES.EXCLUSION_RULE_OUTSIDE_HOURS: "OUTSIDE_WORKING_HOURS",
    RULES.EXCLUSION_RULE_NOTICE: "TOO_SOON",
    RULES.EXCLUSION_RULE_HORIZON: "TOO_FAR_AHEAD",
    RULES.EXCLUSION_RULE_BUSY: "SLOT_TAKEN",
    RULES.EXCLUSION_RULE_DOCTOR_DAY_FULL: "DOCTOR_DAY_FULL",
}
OF_THE_HOURS = {"OUTSIDE_WORKING_HOURS", "TOO_SOON", "TOO_FAR_AHEAD"}
OF_THE_DIARY = {"SLOT_TAKEN", "DOCTOR_DAY_FULL"}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("number", range(CHUNKS))
async def test_what_is_explained_is_what_booking_does(pair: Pair, number: int):
    chance = random.Random(100 + number)  # noqa: S311 - makes cases, guards nothing
    booked = 0
    for _ in range(CLINICS // CHUNKS):
        doctor = await some_doctor(pair, chance, verified=chance.random() < 0.9)
        await some_visits(pair, chance, doctor, "00000000-0000-4000-8000-000000000000", count=20)
        for _ in range(WISHES):
            kind, start, minutes = chance.choice(KINDS), some_start(pair, chance, days=6), chance.choice((20, 30))
            question = doctor_service_pb2.MatchDoctorsRequest(
                doctor_id=doctor.doctor_id,
                appointment_type=NUMBERS[kind],
                duration_minutes=minutes,
                start_time=to_timestamp(start),
                explain=True,
                at_least_revision=pair.revision,
            )
            answer = await pair.doctors.MatchDoctors(question, metadata=pair.admin())
            told = {CALLED[reason.rule] for excluded in answer.excluded for reason in excluded.reasons}
            failed = set()
            try:
                await pair.book(doctor.doctor_id, start, appointment_type=NUMBERS[kind], duration_minutes=minutes)
                booked += 1
            except grpc.aio.AioRpcError as error:
                failed = set(rules_of(error))
            assert bool(told) == bool(failed), (told, failed)
            assert bool(told & OF_THE_HOURS) == bool(failed & OF_THE_HOURS), (told, failed)
            assert told - OF_THE_HOURS - OF_THE_DIARY == failed - OF_THE_HOURS - OF_THE_DIARY
            if "OUTSIDE_WORKING_HOURS" not in failed:
                assert told - OF_THE_HOURS == failed - OF_THE_HOURS, "outside of the hours nothing is told of the diary"
    assert booked, "random clinics in which next to nobody can be booked prove little"
