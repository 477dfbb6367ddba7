"""The JSON of the main calls, as the contract fixes it, through the gateway and by the typed stubs."""

from datetime import timedelta
from uuid import uuid4

import grpc
from google.protobuf.json_format import ParseDict
from telemed.appointment.v1 import appointment_service_pb2
from telemed.appointment.v1.appointment_service_pb2_grpc import AppointmentServiceStub
from telemed.doctor.v1 import doctor_service_pb2
from telemed.doctor.v1.doctor_service_pb2_grpc import DoctorServiceStub
from telemed.type.v1 import scheduling_pb2

from chassis.context import Role
from stack.demo_doctors import CARDIOLOGIST
from stack.demo_patients import FIRST_PATIENT
from tests.fix_clinic import Clinic, in_days

DAY = in_days(9)


def test_a_doctor_is_made_verified_and_given_hours(clinic: Clinic):
    doctor = clinic.new_doctor(days=range(0))
    rule = clinic.ok(
        "POST",
        f"/doctors/{doctor}/availability",
        {
            "day_of_week": 1,
            "duration_minutes": 30,
            "morning_start_time": "2025-06-18T09:00:00Z",
            "morning_end_time": "12:00",
            "afternoon_start_time": "14:00",
            "afternoon_end_time": "17:00",
            "appointment_type": "GeneralConsultation",
            "buffer_minutes": 10,
            "max_concurrent_appointments": 1,
        },
    )
    assert rule["doctor_id"] == doctor
    assert rule["morning_start_time"] == "09:00"
    assert (rule["day_of_week"], rule["appointment_type"]) == (1, "GeneralConsultation")


def test_one_day_of_a_doctor(clinic: Clinic):
    doctor = clinic.new_doctor()
    day = clinic.ok("GET", f"/doctors/{doctor}/availability", date=DAY.isoformat())
    assert (day["doctor_id"], day["doctor_first_name"], day["doctor_last_name"]) == (doctor, "John", "Smith")
    assert day["specialty"] == "Cardiology"
    assert day["morning_slots"][0] == {
        "start_time": f"{DAY}T09:00:00Z",
        "end_time": f"{DAY}T09:30:00Z",
        "duration_minutes": 30,
        "appointment_type": "GeneralConsultation",
        "slot_priority": "Preferred",
    }
    starts = [slot["start_time"][11:16] for slot in day["morning_slots"] + day["afternoon_slots"]]
    assert starts == ["09:00", "09:40", "10:20", "11:00", "14:00", "14:40", "15:20", "16:00"]


def test_a_booking_at_one_time_and_the_conflict_it_makes(clinic: Clinic):
    doctor, patient = clinic.new_doctor(), str(uuid4())
    booked = clinic.ok(
        "POST",
        "/appointments/book",
        {
            "patient_id": patient,
            "doctor_id": doctor,
            "appointment_date": f"{DAY}T10:00:00Z",
            "appointment_type": "FollowUp",
            "duration_minutes": 20,
            "timezone": "UTC",
            "specialty_required": "cardiology",
        },
        who=(Role.PATIENT, patient),
    )
    appointment = booked["appointment"]
    assert (appointment["status"], appointment["end_time"]) == ("Confirmed", f"{DAY}T10:20:00Z")
    question = {"doctor_id": doctor, "start_time": f"{DAY}T10:00:00Z", "end_time": f"{DAY}T10:30:00Z"}
    conflict = clinic.ok("POST", "/appointments/check-conflicts", question, who=(Role.PATIENT, patient))
    assert conflict["has_conflict"] is True
    assert [c["id"] for c in conflict["conflicting_appointments"]] == [appointment["id"]]
    assert 1 <= len(conflict["suggested_alternatives"]) <= 5
    assert set(conflict["suggested_alternatives"][0]) == {"start_time", "end_time", "doctor_id", "appointment_type"}
    question["exclude_appointment_id"] = appointment["id"]
    assert clinic.ok("POST", "/appointments/check-conflicts", question) == {
        "has_conflict": False,
        "conflicting_appointments": [],
        "suggested_alternatives": [],
    }


def smart_wish(patient: str) -> dict[str, object]:
    return {
        "patient_id": patient,
        "preferred_date": DAY.isoformat(),
        "preferred_time_start": "09:00",
        "preferred_time_end": "12:00",
        "appointment_type": "GeneralConsultation",
        "duration_minutes": 30,
        "timezone": "America/New_York",
        "specialty_required": "cardiology",
        "patient_notes": "Follow-up consultation",
        "allow_history_prioritization": True,
    }


def weekday_after(days: int) -> str:
    day = in_days(days)
    return (day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > 4 else 0)).isoformat()


def test_a_patient_gets_their_own_doctor_first(clinic: Clinic):
    wish = smart_wish(FIRST_PATIENT) | {"preferred_date": weekday_after(12)}
    booked = clinic.ok("POST", "/appointments/smart-book", wish, who=(Role.PATIENT, FIRST_PATIENT))
    assert booked["appointment"]["doctor_id"] == CARDIOLOGIST
    assert booked["is_preferred_doctor"] is True
    assert booked["doctor_match_score"] > 0.8
    assert booked["match_reasons"][:2] == [
        "Previous patient - 3 consultation(s) with this doctor",
        "Specializes in cardiology",
    ]
    assert booked["alternative_slots"]
    assert booked["appointment"]["patient_notes"] == "Follow-up consultation"


def test_a_patient_without_a_past_gets_a_good_doctor_too(clinic: Clinic):
    patient = str(uuid4())
    wish = smart_wish(patient) | {"preferred_date": weekday_after(13)}
    booked = clinic.ok("POST", "/appointments/smart-book", wish, who=(Role.PATIENT, patient))
    assert booked["is_preferred_doctor"] is False
    assert booked["match_reasons"][0] == "Specializes in cardiology"


def test_the_first_free_time_comes_when_no_date_is_wished(clinic: Clinic):
    patient = str(uuid4())
    wish = {"patient_id": patient, "appointment_type": "GeneralConsultation"}
    booked = clinic.ok("POST", "/api/appointments/smart-book", wish, who=(Role.PATIENT, patient))
    assert booked["appointment"]["status"] == "Confirmed"


def test_an_unknown_specialty_is_refused_by_name(clinic: Clinic):
    wish = smart_wish(str(uuid4())) | {"specialty_required": "phrenology"}
    answer = clinic.call("POST", "/appointments/smart-book", wish)
    assert answer.status_code == 404
    problem = answer.json()
    assert problem["reason"] == "SPECIALTY_NOT_AVAILABLE"
    assert problem["detail"] == "No phrenology doctors available at this time"


def test_the_alternatives_of_a_refusal_can_be_booked(clinic: Clinic):
    doctor = clinic.new_doctor()
    taken = {
        "patient_id": str(uuid4()),
        "doctor_id": doctor,
        "appointment_date": f"{DAY}T09:00:00Z",
        "appointment_type": "GeneralConsultation",
    }
    clinic.ok("POST", "/appointments/book", taken)
    refused = clinic.call("POST", "/appointments/book", taken | {"patient_id": str(uuid4())})
    assert (refused.status_code, refused.json()["reason"]) == (409, "SLOT_TAKEN")
    alternatives = refused.json()["alternatives"]
    assert alternatives
    for alternative in alternatives:
        wish = taken | {"patient_id": str(uuid4()), "appointment_date": alternative["start_time"]}
        clinic.ok("POST", "/appointments/book", wish)


def test_a_patient_never_sees_as_free_what_they_have_just_booked(clinic: Clinic):
    doctor, patient = clinic.new_doctor(), str(uuid4())
    for _ in range(3):
        day = clinic.ok("GET", f"/doctors/{doctor}/availability", date=DAY.isoformat())
        start = day["afternoon_slots"][0]["start_time"]
        wish = {
            "patient_id": patient,
            "doctor_id": doctor,
            "appointment_date": start,
            "appointment_type": "GeneralConsultation",
        }
        booked = clinic.ok("POST", "/appointments/book", wish)
        after = clinic.ok(
            "GET", f"/doctors/{doctor}/availability", date=DAY.isoformat(), at_least_revision=booked["revision"]
        )
        assert start not in [slot["start_time"] for slot in after["afternoon_slots"]]


async def test_the_same_calls_work_by_typed_stubs(clinic: Clinic):
    doctor, patient = clinic.new_doctor(), str(uuid4())
    async with (
        grpc.aio.insecure_channel(clinic.target("doctor")) as doctor_channel,
        grpc.aio.insecure_channel(clinic.target("appointment")) as appointment_channel,
    ):
        doctors, appointments = DoctorServiceStub(doctor_channel), AppointmentServiceStub(appointment_channel)
        asked = doctor_service_pb2.GetAvailabilityRequest(
            doctor_id=doctor, date={"year": DAY.year, "month": DAY.month, "day": DAY.day}
        )
        day = await doctors.GetAvailability(asked, metadata=clinic.metadata())
        assert len(day.morning_slots) == 4
        wish = appointment_service_pb2.BookRequest(
            patient_id=patient,
            doctor_id=doctor,
            appointment_date=day.morning_slots[1].start_time,
            appointment_type=scheduling_pb2.APPOINTMENT_TYPE_GENERAL_CONSULTATION,
            duration_minutes=30,
        )
        booked = await appointments.Book(wish, metadata=clinic.metadata(Role.PATIENT, patient))
        assert booked.appointment.start_time == day.morning_slots[1].start_time
        smart = ParseDict(
            {
                "patientId": FIRST_PATIENT,
                "appointmentType": "APPOINTMENT_TYPE_GENERAL_CONSULTATION",
                "specialtyRequired": "Cardiology",
                "timezone": "America/New_York",
            },
            appointment_service_pb2.SmartBookRequest(),
        )
        answer = await appointments.SmartBook(smart, metadata=clinic.metadata(Role.PATIENT, FIRST_PATIENT))
        assert answer.appointment.doctor_id == CARDIOLOGIST
        assert answer.doctor_match_score > 0.8
