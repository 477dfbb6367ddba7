"""What tests of matches have in common: a patient with a wish, doctors of Mondays, visits past and to come."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from google.type.date_pb2 import Date
from google.type.timeofday_pb2 import TimeOfDay
from telemed.doctor.v1 import doctor_pb2
from telemed.doctor.v1 import doctor_service_pb2 as pb
from telemed.type.v1 import scheduling_pb2

from chassis.context import Role
from doctor_svc.domain.doctor import Doctor
from kernel.appointment_status import AppointmentStatus
from tests.fix_doctors import DoctorClinic, a_rule, a_visit, change_of, seed

GENERAL = scheduling_pb2.APPOINTMENT_TYPE_GENERAL_CONSULTATION
PATIENT = str(uuid4())
NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LONG_AGO = datetime(2025, 6, 2, 9, 0, tzinfo=UTC)
MORNING_OF_MONDAY = {
    "preferred_date": Date(year=2026, month=3, day=2),
    "preferred_time_start": TimeOfDay(hours=9),
    "preferred_time_end": TimeOfDay(hours=12),
}


async def match(clinic: DoctorClinic, **fields: Any) -> list[doctor_pb2.DoctorMatch]:
    request = pb.MatchDoctorsRequest(**({"patient_id": PATIENT, "appointment_type": GENERAL} | fields))
    answer = await clinic.service.MatchDoctors(request, metadata=clinic.as_(Role.PATIENT, PATIENT), timeout=10)
    return list(answer.matches)


def starts(slots: Any) -> list[str]:
    return [f"{offered.slot.start_time.ToDatetime(UTC):%a %H:%M}" for offered in slots]


def ids(matches: list[doctor_pb2.DoctorMatch]) -> list[str]:
    return [found.doctor_id for found in matches]


async def working_mondays(clinic: DoctorClinic, *doctors: Doctor) -> None:
    await seed(clinic.database, doctors, [a_rule(doctor, 1) for doctor in doctors])


async def completed_visits(clinic: DoctorClinic, doctor: Doctor, count: int) -> str:
    return clinic.feed.write(
        *(
            change_of(
                a_visit(
                    doctor.doctor_id,
                    LONG_AGO + timedelta(days=7 * week),
                    patient_id=PATIENT,
                    status=AppointmentStatus.COMPLETED,
                )
            )
            for week in range(count)
        )
    )


async def book(clinic: DoctorClinic, doctor: Doctor, *at: datetime) -> str:
    return clinic.feed.write(*(change_of(a_visit(doctor.doctor_id, start)) for start in at))
