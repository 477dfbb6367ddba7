"""Rows of sessions and participants, to the domain and back."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from kernel.appointment_status import AppointmentStatus
from video_svc.domain.participant import DeviceCheck, Participant
from video_svc.domain.participant_states import ParticipantState
from video_svc.domain.quality import Issue
from video_svc.domain.session import Life, Session
from video_svc.domain.session_states import EndReason, SessionState
from video_svc.domain.visit import ParticipantType, Visit

Row = Mapping[str, Any]


def to_sessions(rows: Iterable[Row]) -> list[Session]:
    """The sessions of some rows, in their order; the rows of one session stand together."""
    return [_session(list(group)) for _, group in groupby(rows, key=lambda row: row["session_id"])]


def participant_row(session_id: str, one: Participant) -> dict[str, object]:
    """A participant as the parameters of a statement."""
    devices = one.devices
    return {
        "session_id": session_id,
        "participant_type": one.side.value,
        "participant_id": one.participant_id,
        "state": one.state.value,
        "join_time": one.joined,
        "state_time": one.changed,
        "seen_time": one.seen,
        "attempt": one.attempt,
        "report": one.report,
        "request_id": one.request_id,
        "camera": devices and devices.camera,
        "microphone": devices and devices.microphone,
        "network": devices and devices.network,
    }


def life_row(session: Session) -> dict[str, object]:
    """What has happened in a session, as the parameters of a statement."""
    life = session.life
    return {
        "session_id": session.session_id,
        "state": life.state.value,
        "state_time": life.changed,
        "begin_time": life.began,
        "end_reason": life.end_reason and life.end_reason.value,
    }


def _session(rows: list[Row]) -> Session:
    row = rows[0]
    life = Life(
        state=SessionState(row["session_state"]),
        changed=row["session_state_time"],
        began=row["begin_time"],
        end_reason=EndReason(row["end_reason"]) if row["end_reason"] else None,
    )
    people = tuple(_participant(one) for one in rows if one["participant_type"] is not None)
    issues = tuple(Issue(issue) for issue in row["connection_issues"])
    return Session(str(row["session_id"]), _visit(row), people, life, row["quality_rating"], issues)


def _visit(row: Row) -> Visit:
    return Visit(
        appointment_id=str(row["appointment_id"]),
        patient_id=str(row["patient_id"]),
        doctor_id=str(row["doctor_id"]),
        status=AppointmentStatus(row["appointment_status"]),
        start=row["start_time"],
        end=row["end_time"],
        version=row["appointment_version"],
    )


def _participant(row: Row) -> Participant:
    devices = None
    if row["camera"] is not None:
        devices = DeviceCheck(row["camera"], row["microphone"], row["network"])
    return Participant(
        participant_id=str(row["participant_id"]),
        side=ParticipantType(row["participant_type"]),
        state=ParticipantState(row["participant_state"]),
        joined=row["join_time"],
        changed=row["state_time"],
        seen=row["seen_time"],
        attempt=row["attempt"],
        report=row["report"],
        request_id=row["request_id"],
        devices=devices,
        tracks=tuple(row["tracks"]),
    )
