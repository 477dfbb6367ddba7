"""What is exported of a patient, as messages."""

from typing import Any

from telemed.doctor.v1 import export_pb2

from chassis.patient_data_messages import from_access
from chassis.protos import to_timestamp
from doctor_svc.api.fields import kind_number


def to_record(section: str, record: Any, patient_id: str) -> export_pb2.DoctorRecord:
    """The record of a section."""
    if section == "accesses":
        return export_pb2.DoctorRecord(access=from_access(record, patient_id))
    visit = export_pb2.PatientVisit(
        appointment_id=record.appointment_id,
        doctor_id=record.doctor_id,
        appointment_type=kind_number(record.kind),
        status=record.status,
        start_time=to_timestamp(record.start),
        end_time=to_timestamp(record.end),
        rating=record.rating or 0,
    )
    return export_pb2.DoctorRecord(visit=visit)
