"""What is exported of a patient, as messages."""

from typing import Any

from telemed.appointment.v1 import export_pb2

from appointment_svc.api.history import from_event
from appointment_svc.api.replies import appointment_message
from chassis.patient_data_messages import from_access
from chassis.protos import from_date, to_timestamp


def to_record(section: str, record: Any, patient_id: str) -> export_pb2.AppointmentRecord:
    """The record of a section."""
    match section:
        case "appointments":
            return export_pb2.AppointmentRecord(appointment=appointment_message(record))
        case "claims":
            claim = export_pb2.PatientClaim(
                appointment_id=record.appointment_id,
                start_time=to_timestamp(record.start),
                end_time=to_timestamp(record.end),
                day=from_date(record.day),
            )
            return export_pb2.AppointmentRecord(claim=claim)
        case "events":
            return export_pb2.AppointmentRecord(event=from_event(record))
    return export_pb2.AppointmentRecord(access=from_access(record, patient_id))
