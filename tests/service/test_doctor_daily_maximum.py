"""A doctor's daily maximum over gRPC: every list of free times keeps it, and an explanation says when it is over."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.type.date_pb2 import Date
from telemed.appointment.v1 import appointment_pb2
from telemed.doctor.v1 import availability_pb2 as hours_pb2
from telemed.doctor.v1 import doctor_pb2, profiles_pb2
from telemed.doctor.v1 import doctor_service_pb2 as pb
from telemed.type.v1 import scheduling_pb2

from chassis.context import Role
from chassis.protos import to_timestamp
from doctor_svc.domain.doctor import Doctor
from kernel.appointment_types import AppointmentType
from tests.fix_doctors import DoctorClinic, a_doctor, a_rule, a_visit, change_of, seed

GENERAL = scheduling_pb2.APPOINTMENT_TYPE_GENERAL_CONSULTATION
NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MONDAY = Date(year=2026, month=3, day=2)


@pytest.fixture
async def full(doctors: DoctorClinic) -> tuple[Doctor, str]:
    """A doctor who takes two visits a day and has them on Monday, one of them at night; and the revision of that."""
    doctor = a_doctor(max_daily_appointments=2)
    await seed(doctors.database, [doctor], [a_rule(doctor, day) for day in (1, 2)])
    night = a_visit(doctor.doctor_id, NINE + timedelta(hours=13), kind=AppointmentType.FOLLOW_UP)
    revision = doctors.feed.write(change_of(a_visit(doctor.doctor_id, NINE)), change_of(night))
    return doctor, revision


async def call(clinic: DoctorClinic, rpc: str, request: Any) -> Any:
    return await getattr(clinic.service, rpc)(request, metadata=clinic.as_(Role.PATIENT), timeout=10)


async def test_lists_of_free_times_leave_out_a_full_day(doctors: DoctorClinic, full: tuple[Doctor, str]) -> None:
    doctor, revision = full
    day = pb.GetAvailabilityRequest(doctor_id=doctor.doctor_id, date=MONDAY, at_least_revision=revision)
    assert not (await call(doctors, "GetAvailability", day)).morning_slots
    two_days = hours_pb2.ListSlotsRequest(
        doctor_id=doctor.doctor_id, from_date=MONDAY, to_date=Date(year=2026, month=3, day=3)
    )
    slots = (await call(doctors, "ListSlots", two_days)).slots
    assert [slot.start_time.ToDatetime().day for slot in slots] == [3, 3, 3, 3]
    # A Monday of another zone holds only a part of the doctor's, and the visit at night not at all.
    for zone in ("UTC", "Pacific/Kiritimati", "Asia/Tokyo"):
        across = hours_pb2.SearchAvailabilityRequest(date=MONDAY, timezone=zone)
        assert not (await call(doctors, "SearchAvailability", across)).doctors, zone


async def test_an_explanation_names_the_rule_and_the_next_day(doctors: DoctorClinic, full: tuple[Doctor, str]) -> None:
    _, revision = full
    wish = pb.MatchDoctorsRequest(
        appointment_type=GENERAL,
        start_time=to_timestamp(NINE + timedelta(minutes=80)),
        explain=True,
        at_least_revision=revision,
    )
    answer = await call(doctors, "MatchDoctors", wish)
    (excluded,) = answer.excluded
    (reason,) = excluded.reasons
    assert reason.rule == doctor_pb2.EXCLUSION_RULE_DOCTOR_DAY_FULL
    assert reason.message == "takes no more than 2 visits a day; the next day with a free time is 2026-03-03"
    assert excluded.suggestion == "free at 09:00 on 2026-03-03 (UTC)"


async def test_a_cancelled_visit_makes_room_again(doctors: DoctorClinic, full: tuple[Doctor, str]) -> None:
    doctor, _ = full
    gone = appointment_pb2.Change()
    gone.CopyFrom(doctors.feed.changes[0])
    gone.version, gone.appointment.status = 2, appointment_pb2.APPOINTMENT_STATUS_CANCELLED
    revision = doctors.feed.write(gone)
    day = pb.GetAvailabilityRequest(doctor_id=doctor.doctor_id, date=MONDAY, at_least_revision=revision)
    assert len((await call(doctors, "GetAvailability", day)).morning_slots) == 4


async def test_a_match_puts_a_doctor_whose_day_is_full_behind_one_who_is_free(
    doctors: DoctorClinic, full: tuple[Doctor, str]
) -> None:
    other = a_doctor()
    await seed(doctors.database, [other], [a_rule(other, 1)])
    wish = pb.MatchDoctorsRequest(appointment_type=GENERAL, preferred_date=MONDAY, at_least_revision=full[1])
    matches = (await call(doctors, "MatchDoctors", wish)).matches
    assert [(match.doctor_id, len(match.slots)) for match in matches] == [
        (other.doctor_id, 4),
        (full[0].doctor_id, 0),
    ]


@pytest.mark.parametrize(("most", "slots"), [(3, 3), (0, 3), (1, 0)])
async def test_another_maximum_counts_at_once(
    doctors: DoctorClinic, full: tuple[Doctor, str], most: int, slots: int
) -> None:
    doctor, revision = full
    day = pb.GetAvailabilityRequest(doctor_id=doctor.doctor_id, date=MONDAY, at_least_revision=revision)
    assert not (await call(doctors, "GetAvailability", day)).morning_slots
    change = profiles_pb2.UpdateDoctorRequest(
        doctor=doctor_pb2.Doctor(doctor_id=doctor.doctor_id, max_daily_appointments=most),
        update_mask=FieldMask(paths=["max_daily_appointments"]),
    )
    await doctors.service.UpdateDoctor(change, metadata=doctors.as_(Role.ADMIN), timeout=10)
    assert len((await call(doctors, "GetAvailability", day)).morning_slots) == slots
