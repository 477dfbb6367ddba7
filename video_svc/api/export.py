"""What is exported of a patient, as messages."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from telemed.video.v1 import quality_pb2
from telemed.video.v1 import video_service_pb2 as pb

from chassis.patient_data_messages import from_access
from video_svc.api.convert import from_session
from video_svc.domain.session import JoinRules


def to_record(section: str, record: Any, patient_id: str, rules: JoinRules, now: datetime) -> pb.VideoRecord:
    """The record of a section."""
    match section:
        case "sessions":
            return pb.VideoRecord(session=from_session(record, rules, now))
        case "samples":
            sample = quality_pb2.QualitySample(**asdict(record.sample))
            return pb.VideoRecord(
                sample=pb.SessionSample(session_id=record.session_id, attempt=record.attempt, sample=sample)
            )
    return pb.VideoRecord(access=from_access(record, patient_id))
