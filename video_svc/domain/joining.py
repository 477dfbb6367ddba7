"""Who is let into a session, and when."""

from dataclasses import replace
from datetime import datetime

from video_svc.domain.errors import JoinTooEarly, JoinTooLate, WrongState
from video_svc.domain.session import Arrival, JoinRules, Session
from video_svc.domain.states import JOINABLE
from video_svc.domain.visit import ParticipantType


def admit(session: Session, side: ParticipantType, rules: JoinRules, now: datetime) -> Session:
    """The session once that side has come in at `now`; the same session when it had come before.

    Raises:
        WrongState: the appointment is not confirmed, or it is over or called off.
        JoinTooEarly: the join window has not opened.
        JoinTooLate: it has closed.
    """
    if session.visit.status not in JOINABLE:
        raise WrongState(session.visit.status)
    window = rules.window_of(session.visit)
    if now < window.open:
        raise JoinTooEarly(window.open)
    if now >= window.close:
        raise JoinTooLate(window.close)
    if any(arrival.side is side for arrival in session.present(rules)):
        return session
    others = tuple(arrival for arrival in session.arrivals if arrival.side is not side)
    return replace(session, arrivals=(*others, Arrival(side, now)))
