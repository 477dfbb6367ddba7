"""Lets a participant into the visit of an appointment: to its waiting room, or into an attempt to connect."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from chassis.accesses import note_access
from chassis.clock import Clock
from chassis.context import Caller, remaining_seconds
from chassis.signals import Signal
from kernel.errors import InvalidArgument
from video_svc.app.access import side_of
from video_svc.app.connecting import Connecting, Connection
from video_svc.app.ports import JoinToken, JoinTokens, Sessions
from video_svc.domain.errors import ParticipantNotFound, SessionNotFound
from video_svc.domain.joining import begin
from video_svc.domain.participant import Participant
from video_svc.domain.session import JoinRules, Session
from video_svc.domain.visit import ParticipantType

# An appointment that was booked a moment ago may still be on its way here.
_WAIT_SECONDS = 1.0
# Kept for the answer, out of what is left of the caller's deadline.
_SPARE_SECONDS = 0.1
# How soon a copy is noticed that another replica made: our own signal knows nothing of it.
_LOOK_AGAIN_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Admission:
    """How to join: what the browser needs. In the waiting room the connection offers no credentials."""

    session_id: str
    participant: Participant
    connection: Connection
    join_url: str
    token: JoinToken


@dataclass(frozen=True, slots=True)
class StartSession:
    """The use case. `visit_page` is the address below which each session has its page; `copied` fires with the feed."""

    sessions: Sessions
    connecting: Connecting
    tokens: JoinTokens
    rules: JoinRules
    visit_page: str
    copied: Signal
    clock: Clock

    async def __call__(
        self, caller: Caller, appointment_id: str, asked: ParticipantType, request_id: str = ""
    ) -> Admission:
        """Lets the caller in as far as they may go; the same request_id goes on with the attempt that it began.

        Raises SessionNotFound for a stranger, InvalidArgument for the wrong side, and whatever joining refuses.
        """
        known = await self._session_of(caller, appointment_id)
        now, new_id = self.clock(), str(uuid4())

        def rule(current: Session) -> Session:
            side = _side_asked(caller, current, asked)
            return begin(current, side, new_id, request_id=request_id, rules=self.rules, now=now)

        session = await self.sessions.change(known.session_id, rule)
        return await self._admission(session, caller.subject, asked, now)

    async def _session_of(self, caller: Caller, appointment_id: str) -> Session:
        """The caller's session, waited for while it may still be on its way.

        Someone else's session is waited for just as an unknown one, so that the time to the answer tells them nothing.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + _patience()
        while True:
            seen = self.copied.count
            session = await self.sessions.of_appointment(appointment_id)
            if session is not None:
                note_access(entity_id=appointment_id, patient_id=session.visit.patient_id)
                if side_of(caller, session) is not None:
                    return session
            left = until - loop.time()
            if left <= 0:
                raise SessionNotFound
            await self.copied.wait(seen, min(left, _LOOK_AGAIN_SECONDS))

    async def _admission(self, session: Session, subject: str, side: ParticipantType, now: datetime) -> Admission:
        session_id, there = session.session_id, session.one(side)
        if there is None:
            raise ParticipantNotFound
        close = max(self.rules.window_of(session.visit).close, now + self.rules.grace)
        return Admission(
            session_id=session_id,
            participant=there,
            connection=await self.connecting.of(session_id, there),
            join_url=f"{self.visit_page}/{session_id}",
            token=self.tokens.sign(session_id, subject, side, now, close),
        )


def _side_asked(caller: Caller, session: Session, asked: ParticipantType) -> ParticipantType:
    """The side that was asked for, which must be the caller's own."""
    side = side_of(caller, session)
    if side is None:
        raise SessionNotFound
    if side is not asked:
        raise InvalidArgument.of("participant_type", f"must be {side.value}: that is your part in this visit")
    return side


def _patience() -> float:
    remaining = remaining_seconds()
    return _WAIT_SECONDS if remaining is None else max(0.0, min(_WAIT_SECONDS, remaining - _SPARE_SECONDS))
