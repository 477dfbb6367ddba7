"""Birth date, licence number and e-mail of a doctor are taken and never told: by no RPC, to nobody."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from google.type.date_pb2 import Date
from google.type.timeofday_pb2 import TimeOfDay
from telemed.doctor.v1 import availability_pb2 as hours
from telemed.doctor.v1 import doctor_pb2, insights_pb2, profiles_pb2, search_pb2
from telemed.doctor.v1 import doctor_service_pb2 as pb
from telemed.type.v1 import patient_data_pb2, scheduling_pb2

from chassis.context import Role
from chassis.sql import Query
from doctor_svc.api.policy import POLICY
from doctor_svc.domain.doctor import Doctor
from tests.fix_doctors import DoctorClinic, a_doctor, a_rule, a_visit, change_of, seed

SERVICE = pb.DESCRIPTOR.services_by_name["DoctorService"]
EMAIL, LICENCE, BORN = "seldom.seen@canary.example", "CANARY-4711", Date(year=1961, month=7, day=23)
READS = ("Get", "List", "Search", "Match", "Recommend", "Preview")
PATIENT = str(uuid4())
MONDAY = Date(year=2026, month=3, day=2)
GENERAL = scheduling_pb2.APPOINTMENT_TYPE_GENERAL_CONSULTATION
FILL = Query(
    "fill",
    f"UPDATE doctor SET email = '{EMAIL}', license_number = '{LICENCE}', date_of_birth = '1961-07-23'",
)
STORED = Query(
    "stored", "SELECT email, license_number, date_of_birth::text AS born FROM doctor WHERE doctor_id = %(id)s"
)


def requests_about(doctor: Doctor, rule_id: str, override_id: str) -> Mapping[str, Any]:
    """A good request to every RPC that says anything, about one doctor; in an order in which all of them succeed."""
    its = {"doctor_id": doctor.doctor_id}
    private = {"email": f"2{EMAIL}", "license_number": LICENCE, "date_of_birth": BORN}
    new = doctor_pb2.Doctor(first_name="New", last_name="Doctor", specialty="Urology", timezone="UTC", **private)
    nine_to_twelve = {"morning_start_time": TimeOfDay(hours=9), "morning_end_time": TimeOfDay(hours=12)}
    block = hours.AvailabilityOverride(kind=hours.OVERRIDE_KIND_SICK, start_date=Date(year=2026, month=3, day=9))
    slots = {"from_date": MONDAY, "to_date": MONDAY}
    return {
        "CreateDoctor": pb.CreateDoctorRequest(doctor=new),
        "GetDoctor": pb.GetDoctorRequest(**its),
        "UpdateDoctor": profiles_pb2.UpdateDoctorRequest(doctor=doctor_pb2.Doctor(bio="Changed.", **its)),
        "ActivateDoctor": profiles_pb2.ActivateDoctorRequest(**its),
        "VerifyDoctor": pb.VerifyDoctorRequest(**its),
        "SearchDoctors": search_pb2.SearchDoctorsRequest(),
        "SetAvailability": pb.SetAvailabilityRequest(
            rule=doctor_pb2.AvailabilityRule(specific_date=Date(year=2026, month=3, day=7), **nine_to_twelve), **its
        ),
        "ListAvailabilityRules": hours.ListAvailabilityRulesRequest(**its),
        "UpdateAvailability": hours.UpdateAvailabilityRequest(
            rule_id=rule_id, rule=doctor_pb2.AvailabilityRule(duration_minutes=20), **its
        ),
        "CreateOverride": hours.CreateOverrideRequest(override=block, **its),
        "ListOverrides": hours.ListOverridesRequest(**its),
        "GetAvailability": pb.GetAvailabilityRequest(date=MONDAY, **its),
        "ListSlots": hours.ListSlotsRequest(**slots, **its),
        "SearchAvailability": hours.SearchAvailabilityRequest(date=MONDAY),
        "PreviewAvailability": hours.PreviewAvailabilityRequest(from_date=MONDAY),
        "MatchDoctors": pb.MatchDoctorsRequest(appointment_type=GENERAL, preferred_date=MONDAY, explain=True),
        "RecommendDoctors": insights_pb2.RecommendDoctorsRequest(),
        "GetDoctorStats": insights_pb2.GetDoctorStatsRequest(**its),
        "ListAvailabilitySummaries": insights_pb2.ListAvailabilitySummariesRequest(),
        "DeleteOverride": hours.DeleteOverrideRequest(override_id=override_id, **its),
        "DeleteAvailability": hours.DeleteAvailabilityRequest(rule_id=rule_id, **its),
        "DeactivateDoctor": profiles_pb2.DeactivateDoctorRequest(**its),
        "ListAccesses": patient_data_pb2.ListAccessesRequest(patient_id=PATIENT),
        "ExportPatientData": patient_data_pb2.ExportPatientDataRequest(patient_id=PATIENT),
        "ErasePatientData": patient_data_pb2.ErasePatientDataRequest(patient_id=PATIENT),
    }


async def test_no_rpc_tells_them(doctors: DoctorClinic) -> None:
    doctor = a_doctor()
    rule = a_rule(doctor, 1)
    await seed(doctors.database, [doctor], [rule])
    await doctors.database.execute(FILL)
    doctors.feed.write(change_of(a_visit(doctor.doctor_id, datetime(2026, 3, 9, 9, tzinfo=UTC))))
    block = hours.AvailabilityOverride(kind=hours.OVERRIDE_KIND_VACATION, start_date=Date(year=2026, month=4, day=1))
    made = await doctors.service.CreateOverride(
        hours.CreateOverrideRequest(doctor_id=doctor.doctor_id, override=block), metadata=doctors.as_(Role.ADMIN)
    )
    requests = requests_about(doctor, rule.rule_id, made.override.override_id)
    assert set(requests) == {method.name for method in SERVICE.methods}, "every RPC must be looked at"
    subjects = {Role.DOCTOR: doctor.doctor_id, Role.PATIENT: PATIENT}
    told = 0
    for name, request in requests.items():
        # A read is for everyone who may call it; a change, which is made but once, for an administrator.
        readers = POLICY[f"{SERVICE.full_name}/{name}"].roles if name.startswith(READS) else {Role.ADMIN}
        for role in readers:
            who = doctors.as_(role, subjects.get(role, str(uuid4())))
            reply = await getattr(doctors.service, name)(request, metadata=who, timeout=10)
            seen = reply.SerializeToString()
            for secret in (EMAIL.encode(), LICENCE.encode(), BORN.SerializeToString()):
                assert secret not in seen, (name, role)
            told += doctor.doctor_id.encode() in seen or not seen
    assert told > 20, "replies that are not about the doctor prove little"
    assert await doctors.database.one(STORED, {"id": doctor.doctor_id}) == {
        "email": EMAIL,
        "license_number": LICENCE,
        "born": "1961-07-23",
    }


@pytest.mark.parametrize("field", ["email", "license_number", "date_of_birth"])
async def test_whoever_changes_them_does_not_see_them(doctors: DoctorClinic, field: str) -> None:
    doctor = a_doctor()
    await seed(doctors.database, [doctor], [])
    values: dict[str, Any] = {"email": EMAIL, "license_number": LICENCE, "date_of_birth": BORN}
    request = profiles_pb2.UpdateDoctorRequest(
        doctor=doctor_pb2.Doctor(doctor_id=doctor.doctor_id, **{field: values[field]})
    )
    changed = await doctors.service.UpdateDoctor(request, metadata=doctors.as_(Role.ADMIN), timeout=10)
    assert changed.etag == "2"
    assert field not in {name.name for name, _ in changed.ListFields()}
