"""Who is still there: reports, leaving, silence, and what the clock ends."""

from dataclasses import replace
from datetime import datetime

from video_svc.domain.errors import NobodyCame
from video_svc.domain.participant_states import ParticipantEvent
from video_svc.domain.session import JoinRules, Session
from video_svc.domain.session_states import OVER, EndReason, SessionEvent, SessionState, with_appointment
from video_svc.domain.visit import ParticipantType


def reported(
    session: Session, side: ParticipantType, attempt: int, number: int, *, is_connected: bool, now: datetime
) -> Session:
    """The session after a report of one side's connection. Raises StaleAttempt, InvalidArgument."""
    there = session.one(side)
    if there is None:
        return session
    return session.with_participant(there.reported(attempt, number, is_connected=is_connected, now=now), now)


def left(session: Session, side: ParticipantType, attempt: int, now: datetime) -> Session:
    """The session after one side has left. Raises StaleAttempt, InvalidArgument.

    The farewell of a page that was reloaded may come after the new page has begun: then it is one of an old attempt.
    """
    there = session.one(side)
    if there is None:
        return session
    there.require_attempt(attempt)
    return session.with_participant(there.after(ParticipantEvent.LEFT, now), now)


def seen(session: Session, side: ParticipantType, attempt: int, now: datetime) -> Session:
    """The session after a sign of life that says nothing of a connection. Raises StaleAttempt, InvalidArgument."""
    there = session.one(side)
    if there is None:
        return session
    there.require_attempt(attempt)
    return session.with_participant(replace(there, seen=now), now)


def ended(session: Session, now: datetime) -> Session:
    """The session after the doctor has ended it; everybody has left. The same when it is over. Raises NobodyCame."""
    if session.life.state is SessionState.SCHEDULED:
        raise NobodyCame
    return _emptied(session.ended(SessionEvent.WAS_ENDED, EndReason.ENDED_BY_DOCTOR, now), now)


def at(session: Session, rules: JoinRules, now: datetime) -> Session:
    """The session as the clock, and what has become of its appointment, leave it at `now`.

    Who was silent for too long has left; a visit that was interrupted or has lasted for too long ends.
    """
    state = with_appointment(session.life.state, session.visit.status)
    if state is not session.life.state:
        session = replace(session, life=replace(session.life, state=state, changed=now))
    for one in session.participants:
        if one.is_in_call and now >= one.seen + rules.silence:
            session = session.with_participant(one.after(ParticipantEvent.LEFT, now), now)
    life = session.life
    if life.began is not None and now >= life.began + rules.lasts_at_most:
        session = session.ended(SessionEvent.TIME_RAN_OUT, EndReason.MAX_DURATION, now)
    elif life.state is SessionState.INTERRUPTED and life.changed is not None and now >= life.changed + rules.grace:
        session = session.ended(SessionEvent.TIME_RAN_OUT, EndReason.CONNECTION_LOST, now)
    if session.life.state is SessionState.OPEN and now >= rules.window_of(session.visit).close:
        session = session.ended(SessionEvent.DOOR_CLOSED, None, now)
    return _emptied(session, now)


def _emptied(session: Session, now: datetime) -> Session:
    """Nobody is in a session that is over."""
    if session.life.state not in OVER:
        return session
    people = tuple(one.after(ParticipantEvent.LEFT, now) for one in session.participants)
    return replace(session, participants=people)
