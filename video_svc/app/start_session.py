"""Lets a participant into the visit of an appointment."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from chassis.clock import Clock
from chassis.context import Caller, remaining_seconds
from chassis.signals import Signal
from kernel.errors import InvalidArgument
from video_svc.app.access import side_of
from video_svc.app.media_errors import MediaError, refusal_of
from video_svc.app.media_ports import IceProvider, MediaProvider
from video_svc.app.ports import JoinToken, JoinTokens, Sessions
from video_svc.domain.errors import SessionNotFound
from video_svc.domain.joining import admit
from video_svc.domain.media import IceServer
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
    """How to join: what the browser needs. `provider_session_id` is empty when the browsers talk peer to peer."""

    session_id: str
    provider_session_id: str
    join_url: str
    ice_servers: tuple[IceServer, ...]
    token: JoinToken


@dataclass(frozen=True, slots=True)
class StartSession:
    """The use case. `visit_page` is the address below which each session has its page; `copied` fires with the feed."""

    sessions: Sessions
    media: MediaProvider
    ice: IceProvider
    tokens: JoinTokens
    rules: JoinRules
    visit_page: str
    copied: Signal
    clock: Clock

    async def __call__(self, caller: Caller, appointment_id: str, asked: ParticipantType) -> Admission:
        """Admits the caller; asking again answers the same session with a fresh token.

        Raises SessionNotFound for a stranger, InvalidArgument for the wrong side, and whatever joining refuses.
        """
        session = await self._session_of(caller, appointment_id)
        side = _side_asked(caller, session, asked)
        now = self.clock()
        session = await self.sessions.change(
            appointment_id, lambda current: admit(current, _side_asked(caller, current, asked), self.rules, now)
        )
        return await self._admission(session, caller.subject, side, now)

    async def _session_of(self, caller: Caller, appointment_id: str) -> Session:
        """The caller's session, waited for while it may still be on its way.

        Someone else's session is waited for just as an unknown one, so that the time to the answer tells them nothing.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + _patience()
        while True:
            seen = self.copied.count
            session = await self.sessions.of_appointment(appointment_id)
            if session is not None and side_of(caller, session) is not None:
                return session
            left = until - loop.time()
            if left <= 0:
                raise SessionNotFound
            await self.copied.wait(seen, min(left, _LOOK_AGAIN_SECONDS))

    async def _admission(self, session: Session, subject: str, side: ParticipantType, now: datetime) -> Admission:
        session_id = session.session_id
        close = self.rules.window_of(session.visit).close
        try:
            provider_session_id = await self.media.open_session(session_id)
            ice = await self.ice.ice_servers(session_id, close - now)
        except MediaError as error:
            raise refusal_of(error) from error
        return Admission(
            session_id=session_id,
            provider_session_id=provider_session_id,
            join_url=f"{self.visit_page}/{session_id}",
            ice_servers=ice.servers,
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
