"""All that the doctor and the video service keep of one patient: exported, and what is not needed erased."""

from typing import Any
from uuid import uuid4

import grpc
import pytest
from telemed.doctor.v1 import doctor_service_pb2 as doctors_pb
from telemed.type.v1 import patient_data_pb2
from telemed.video.v1 import quality_pb2

from chassis.context import Role
from kernel.appointment_status import AppointmentStatus
from tests.fix_accesses import AccessRecord
from tests.fix_doctors import DoctorClinic, a_visit, change_of
from tests.fix_video import House
from tests.fix_video_call import Call
from tests.refusals import reason_of, refusal
from tests.service.hours_harness import NINE, ask
from tests.service.matching_harness import GENERAL


@pytest.fixture
async def call(call: Call, video_house: House) -> Call:
    """Two people whose visit has been copied: a busy machine may take longer than a patient waits at the door."""
    await video_house.copied(1)
    return call


async def of_video(call: Call, rpc: str, role: Role = Role.ADMIN, subject: str | None = None) -> Any:
    request = getattr(patient_data_pb2, f"{rpc}Request")(patient_id=call.patient.visit.patient_id)
    visits = call.patient.visits
    return await getattr(visits.stub, rpc)(request, metadata=visits.callers.metadata(role, subject), timeout=30)


async def test_a_doctor_service_exports_its_copy_of_a_patients_visits(doctors: DoctorClinic, doctor_db_url: str):
    patient = str(uuid4())
    visit = a_visit(str(uuid4()), NINE, patient_id=patient, status=AppointmentStatus.COMPLETED, rating=4)
    revision = doctors.feed.write(change_of(visit), change_of(a_visit(str(uuid4()), NINE)))
    known = doctors_pb.MatchDoctorsRequest(appointment_type=GENERAL, at_least_revision=revision, patient_id=patient)
    await ask(doctors, "MatchDoctors", known, doctors.as_(Role.PATIENT, patient))
    request = patient_data_pb2.ExportPatientDataRequest(patient_id=patient)
    first, second = (await ask(doctors, "ExportPatientData", request, doctors.as_(Role.PATIENT, patient))).records
    assert (first.visit.appointment_id, first.visit.doctor_id) == (visit.appointment_id, visit.doctor_id)
    assert (first.visit.status, first.visit.rating, first.visit.appointment_type) == ("COMPLETED", 4, GENERAL)
    assert second.access.method.endswith("/MatchDoctors")
    erasing = patient_data_pb2.ErasePatientDataRequest(patient_id=patient)
    await ask(doctors, "ErasePatientData", erasing, doctors.as_(Role.ADMIN))
    assert await AccessRecord("doctor", doctor_db_url).faults() == []


async def test_a_visit_under_way_is_left_alone(call: Call):
    await call.connect()
    error = await refusal(of_video(call, "ErasePatientData"))
    assert (error.code(), reason_of(error)) == (grpc.StatusCode.FAILED_PRECONDITION, "PATIENT_HAS_APPOINTMENTS")


async def test_what_a_browser_sent_is_exported_and_then_erased(call: Call, video_db_url: str):
    record = AccessRecord("video", video_db_url)
    await call.patient.start()
    await call.patient.check_in(camera=True, microphone=True, network=True)
    await call.connect()
    sample = quality_pb2.QualitySample(number=1, seconds=5, round_trip_ms=80, bitrate_kbps=900)
    for person in (call.patient, call.doctor):
        request = quality_pb2.ReportQualityRequest(
            session_id=person.session_id, attempt=person.attempt, samples=[sample]
        )
        await person.call("ReportQuality", request)
    await call.doctor.end()
    records = (await of_video(call, "ExportPatientData")).records
    assert records[0].session.session_id == call.patient.session_id
    [measured] = [one.sample for one in records if one.HasField("sample")]
    assert (measured.session_id, measured.sample.round_trip_ms) == (call.patient.session_id, 80)
    assert any(one.access.method.endswith("/StartSession") for one in records)
    await of_video(call, "ErasePatientData")
    assert await record.select("SELECT participant_type FROM quality_sample") == [("DOCTOR",)]
    devices = "SELECT camera, microphone, network, request_id FROM participant WHERE participant_type = 'PATIENT'"
    assert await record.select(devices) == [(None, None, None, "")]
    assert await record.count("signal") == await record.count("media_answer") == 0
    assert await record.count("session") == 1, "that there was a visit is kept"
    assert await record.faults() == []


@pytest.mark.parametrize("rpc", ["ExportPatientData", "ListAccesses"])
async def test_strangers_are_told_nothing(call: Call, rpc: str):
    await call.patient.start()
    error = await refusal(of_video(call, rpc, Role.PATIENT, str(uuid4())))
    assert error.code() is grpc.StatusCode.PERMISSION_DENIED
    assert await of_video(call, rpc, Role.PATIENT, call.patient.visit.patient_id)
