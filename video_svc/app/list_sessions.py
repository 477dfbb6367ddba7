"""Lists sessions page by page: the caller's own, or anybody's for staff."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chassis.accesses import note_access, note_query
from chassis.context import Caller, Role
from kernel.errors import InvalidArgument
from video_svc.app.access import note_session
from video_svc.app.ports import Sessions, SessionsQuestion
from video_svc.domain.session import Session

LARGEST_PAGE = 200
_USUAL_PAGE = 50


@dataclass(frozen=True, slots=True)
class SessionsPage:
    """Some sessions, and the start and id after which the next page begins; None on the last."""

    sessions: Sequence[Session]
    next: tuple[datetime, str] | None


@dataclass(frozen=True, slots=True)
class ListSessions:
    """The use case."""

    sessions: Sessions

    async def __call__(self, caller: Caller, question: SessionsQuestion) -> SessionsPage:
        """One page, by start and id; `limit` is the length asked for, 0 for the usual. Raises InvalidArgument."""
        if not 0 <= question.limit <= LARGEST_PAGE:
            raise InvalidArgument.of("page_size", f"must be 1 to {LARGEST_PAGE}, or 0 for {_USUAL_PAGE}")
        if question.from_time and question.to_time and question.from_time >= question.to_time:
            raise InvalidArgument.of("to_time", "must be later than from_time")
        length = question.limit or _USUAL_PAGE
        own = _own(caller, question)
        if own is None:
            return SessionsPage((), None)
        # One more than asked for tells whether there is a further page.
        found = await self.sessions.list(replace(own, limit=length + 1))
        note_access(patient_id=own.patient_id)
        note_query(doctor_id=own.doctor_id)
        for session in found[:length]:
            note_session(session)
        last = found[length - 1] if len(found) > length else None
        return SessionsPage(found[:length], (last.visit.start, last.session_id) if last else None)


def _own(caller: Caller, question: SessionsQuestion) -> SessionsQuestion | None:
    """The question, narrowed to what the caller may know; None when nothing of it is left.

    Raises InvalidArgument for a doctor who breaks the glass and does not say for which patient.
    """
    if caller.is_staff:
        return question
    if caller.role is Role.PATIENT:
        is_own = question.patient_id in (None, caller.subject)
        return replace(question, patient_id=caller.subject) if is_own else None
    if caller.purpose_reason:
        if question.patient_id is None:
            raise InvalidArgument.of("patient_id", "is required where the glass is broken")
        return question
    return replace(question, doctor_id=caller.subject) if question.doctor_id in (None, caller.subject) else None
