"""Between the list of sessions and its messages."""

import base64
import binascii
from datetime import datetime

from telemed.video.v1 import video_service_pb2 as pb

from chassis.ids import parse_optional_uuid, parse_uuid
from chassis.protos import to_optional_instant
from kernel.errors import InvalidArgument, Refusal
from video_svc.api.convert import from_session
from video_svc.app.list_sessions import SessionsPage
from video_svc.app.ports import SessionsQuestion
from video_svc.domain.session import JoinRules


def to_question(request: pb.ListSessionsRequest) -> SessionsQuestion:
    """The question of a request. Raises InvalidArgument."""
    return SessionsQuestion(
        patient_id=parse_optional_uuid(request.patient_id, "patient_id"),
        doctor_id=parse_optional_uuid(request.doctor_id, "doctor_id"),
        appointment_id=parse_optional_uuid(request.appointment_id, "appointment_id"),
        from_time=to_optional_instant(request, "from_time"),
        to_time=to_optional_instant(request, "to_time"),
        after=_position(request.page_token),
        limit=request.page_size,
    )


def from_page(page: SessionsPage, rules: JoinRules, now: datetime) -> pb.ListSessionsResponse:
    """The answer of ListSessions."""
    return pb.ListSessionsResponse(
        sessions=[from_session(session, rules, now) for session in page.sessions],
        next_page_token=_token(*page.next) if page.next else "",
    )


def _token(start: datetime, session_id: str) -> str:
    return base64.urlsafe_b64encode(f"{start.isoformat()} {session_id}".encode()).decode()


def _position(token: str) -> tuple[datetime, str] | None:
    if not token:
        return None
    try:
        start, _, session_id = base64.b64decode(token.encode(), b"-_", validate=True).decode().rpartition(" ")
        instant = datetime.fromisoformat(start)
        if instant.tzinfo is None:
            raise ValueError("no zone")  # noqa: TRY301 - one way out for everything that is no token of ours
        return instant, parse_uuid(session_id, "page_token")
    except (binascii.Error, ValueError, Refusal):
        raise InvalidArgument.of("page_token", "must be the next_page_token of the page before") from None
