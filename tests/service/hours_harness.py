"""What tests of a doctor's hours have in common: a doctor of Mondays, requests, and what is free after them."""

from datetime import UTC, date, datetime
from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from google.type.timeofday_pb2 import TimeOfDay
from telemed.doctor.v1 import availability_pb2 as hours
from telemed.doctor.v1 import doctor_pb2
from telemed.doctor.v1 import doctor_service_pb2 as pb

from chassis.context import Role
from chassis.protos import from_date
from doctor_svc.domain.doctor import Doctor
from tests.fix_doctors import DoctorClinic, a_doctor, a_rule, seed

MONDAY = date(2026, 3, 2)
NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
BLOCK = hours.OVERRIDE_KIND_MANUAL_BLOCK
EXTRA = hours.OVERRIDE_KIND_EXTRA_HOURS


def clock(text: str) -> TimeOfDay:
    hour, minute = text.split(":")
    return TimeOfDay(hours=int(hour), minutes=int(minute))


async def working_on_mondays(clinic: DoctorClinic) -> Doctor:
    """A doctor who works on Mondays from nine to twelve."""
    doctor = a_doctor()
    await seed(clinic.database, [doctor], [a_rule(doctor, 1)])
    return doctor


async def ask(clinic: DoctorClinic, rpc: str, request: Any, who: Any = None) -> Any:
    return await getattr(clinic.service, rpc)(request, metadata=who or clinic.as_(Role.ADMIN), timeout=5)


async def starts(clinic: DoctorClinic, doctor: Doctor, day: date = MONDAY, **fields: Any) -> list[str]:
    request = pb.GetAvailabilityRequest(doctor_id=doctor.doctor_id, date=from_date(day), **fields)
    answer = await ask(clinic, "GetAvailability", request)
    return [f"{slot.start_time.ToDatetime(UTC):%H:%M}" for slot in (*answer.morning_slots, *answer.afternoon_slots)]


async def the_rule(clinic: DoctorClinic, doctor: Doctor) -> doctor_pb2.AvailabilityRule:
    request = hours.ListAvailabilityRulesRequest(doctor_id=doctor.doctor_id)
    (rule,) = (await ask(clinic, "ListAvailabilityRules", request)).rules
    return rule


def update(
    doctor: Doctor, rule_id: str, mask: list[str] | None = None, **fields: Any
) -> hours.UpdateAvailabilityRequest:
    return hours.UpdateAvailabilityRequest(
        doctor_id=doctor.doctor_id,
        rule_id=rule_id,
        rule=doctor_pb2.AvailabilityRule(**fields),
        update_mask=FieldMask(paths=mask or []),
    )


def override(
    doctor: Doctor, *, dry_run: bool = False, request_id: str = "", **fields: Any
) -> hours.CreateOverrideRequest:
    given = {"kind": BLOCK, "start_date": from_date(MONDAY)} | fields
    return hours.CreateOverrideRequest(
        doctor_id=doctor.doctor_id,
        override=hours.AvailabilityOverride(**given),
        dry_run=dry_run,
        request_id=request_id,
    )
