"""Who is let into a session, by whom, and when."""

from dataclasses import replace
from datetime import datetime

from video_svc.domain.errors import (
    JoinTooEarly,
    JoinTooLate,
    KnockTooSoon,
    NotAdmitted,
    ParticipantNotFound,
    RemovedFromSession,
    SessionOver,
    WrongState,
)
from video_svc.domain.participant import DeviceCheck, Participant
from video_svc.domain.participant_states import LET_IN, ParticipantEvent, ParticipantState
from video_svc.domain.session import JoinRules, Session
from video_svc.domain.session_states import JOINABLE, OVER, UNDER_WAY, EndReason, SessionEvent, SessionState
from video_svc.domain.visit import ParticipantType


def check_door(session: Session, rules: JoinRules, now: datetime) -> None:
    """Lets pass whoever comes while the visit can be joined; a visit under way can be joined until it ends.

    Raises:
        WrongState: the appointment is not confirmed, or it is over or called off.
        JoinTooEarly: the join window has not opened.
        JoinTooLate: it has closed.
        SessionOver: the visit has ended.
    """
    if session.visit.status not in JOINABLE:
        raise WrongState(session.visit.status)
    window = rules.window_of(session.visit)
    if now < window.open:
        raise JoinTooEarly(window.open)
    if session.life.state is SessionState.ENDED:
        raise SessionOver(session.life.state.value)
    if session.life.state not in UNDER_WAY and now >= window.close:
        raise JoinTooLate(window.close)


def check_under_way(session: Session, rules: JoinRules, now: datetime) -> None:
    """Raises SessionOver, when nothing can happen in the session any more."""
    state = session.state(rules, now)
    if state in OVER:
        raise SessionOver(state.value)


def come(session: Session, side: ParticipantType, participant_id: str, rules: JoinRules, now: datetime) -> Session:
    """The session once that side has come to its door; `participant_id` is for whoever comes for the first time.

    A patient waits to be admitted; a doctor walks in. Coming again changes nothing. Raises what check_door does,
    KnockTooSoon after a rejection, RemovedFromSession.
    """
    check_door(session, rules, now)
    before = session.one(side) or _invited(participant_id, side, now)
    if before.state is ParticipantState.REMOVED:
        raise RemovedFromSession
    if before.state is ParticipantState.REJECTED and now < before.changed + rules.knock_pause:
        raise KnockTooSoon(before.changed + rules.knock_pause)
    return session.with_participant(before.came(now), now)


def begin(
    session: Session, side: ParticipantType, participant_id: str, *, request_id: str, rules: JoinRules, now: datetime
) -> Session:
    """The session once that side has come and, being admitted, has begun an attempt to connect.

    A doctor may reopen a visit whose connection was lost for too long. Raises what `come` does.
    """
    if side is ParticipantType.DOCTOR and session.life.end_reason is EndReason.CONNECTION_LOST:
        life = replace(session.life.after(SessionEvent.REOPENED, now), end_reason=None)
        session = replace(session, life=life)
    session = come(session, side, participant_id, rules, now)
    there = _of_side(session, side)
    return session.with_participant(there.began(request_id, now), now) if there.state in LET_IN else session


def checked_in(session: Session, side: ParticipantType, devices: DeviceCheck) -> Session:
    """The session with what a participant's check of the devices found."""
    there = _of_side(session, side)
    others = tuple(one for one in session.participants if one.side is not side)
    return replace(session, participants=(*others, replace(there, devices=devices)))


def decided(session: Session, participant_id: str, event: ParticipantEvent, rules: JoinRules, now: datetime) -> Session:
    """The session once the doctor has admitted, rejected or removed somebody; repeating it changes nothing.

    Raises ParticipantNotFound, SessionOver, and NotAdmitted for somebody who is not where that can be done.
    """
    check_under_way(session, rules, now)
    found = next((one for one in session.present() if one.participant_id == participant_id), None)
    if found is None or found.side is ParticipantType.DOCTOR:
        raise ParticipantNotFound
    changed = found.after(event, now)
    if changed is found and found.state not in _ALREADY[event]:
        raise NotAdmitted(found.state.value)
    return session.with_participant(changed, now)


def require_let_in(session: Session, side: ParticipantType) -> Participant:
    """The participant of that side, who was admitted. Raises NotAdmitted, RemovedFromSession."""
    there = session.one(side)
    if there is not None and there.state is ParticipantState.REMOVED:
        raise RemovedFromSession
    if there is None or there.state not in LET_IN:
        raise NotAdmitted((there.state if there else ParticipantState.INVITED).value)
    return there


_ALREADY = {
    ParticipantEvent.WAS_ADMITTED: LET_IN,
    ParticipantEvent.WAS_REJECTED: frozenset({ParticipantState.REJECTED}),
    ParticipantEvent.WAS_REMOVED: frozenset({ParticipantState.REMOVED}),
}


def _invited(participant_id: str, side: ParticipantType, now: datetime) -> Participant:
    return Participant(participant_id, side, ParticipantState.INVITED, joined=now, changed=now, seen=now)


def _of_side(session: Session, side: ParticipantType) -> Participant:
    there = session.one(side)
    if there is None:
        raise ParticipantNotFound
    return there
