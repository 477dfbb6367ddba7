"""Sessions in PostgreSQL: read whole, changed under their lock, and what a change brings about kept with it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from chassis.db import Database
from chassis.db import Session as Connection
from chassis.decisions import decided
from chassis.telemetry import current_traceparent
from video_svc.app.ports import SessionsQuestion
from video_svc.domain.consequences import notices_of
from video_svc.domain.errors import SessionNotFound
from video_svc.domain.participant import Participant
from video_svc.domain.session import JoinRules, Session
from video_svc.domain.session_states import OVER
from video_svc.storage.rows import life_row, participant_row, to_sessions
from video_svc.storage.sql import OUTBOX, SESSIONS, SIGNALS

_GET = SESSIONS["get_session"]
_GET_OF_APPOINTMENT = SESSIONS["get_session_of_appointment"]
_LIST = SESSIONS["list_sessions"]
_LOCK = SESSIONS["lock_session"]
_SAVE_PARTICIPANT = SESSIONS["save_participant"]
_SEE_PARTICIPANT = SESSIONS["see_participant"]
_SAVE_LIFE = SESSIONS["save_life"]
_DUE = SESSIONS["due_sessions"]
_DROP_SIGNALS_OF_SIDE = SIGNALS["drop_signals_of_side"]
_DROP_SIGNALS = SIGNALS["drop_signals_of_session"]
_PUT_NOTICE = OUTBOX["put_notice"]


class PostgresSessions:
    """Keeps the promises of video_svc.app.ports.Sessions."""

    def __init__(self, database: Database, rules: JoinRules) -> None:
        self._database = database
        self._rules = rules

    async def get(self, session_id: str) -> Session | None:
        """The session of that id, or None."""
        return self._first(to_sessions(await self._database.all(_GET, {"session_id": session_id})))

    async def of_appointment(self, appointment_id: str) -> Session | None:
        """The session of an appointment, or None while no change of it has been copied."""
        rows = await self._database.all(_GET_OF_APPOINTMENT, {"appointment_id": appointment_id})
        return self._first(to_sessions(rows))

    async def list(self, question: SessionsQuestion) -> Sequence[Session]:
        """Sessions by start and id."""
        after_time, after_id = question.after or (None, None)
        parameters = {
            "patient_id": question.patient_id,
            "doctor_id": question.doctor_id,
            "appointment_id": question.appointment_id,
            "from_time": question.from_time,
            "to_time": question.to_time,
            "after_time": after_time,
            "after_id": after_id,
            "limit": question.limit,
        }
        return [one.standing(self._rules) for one in to_sessions(await self._database.all(_LIST, parameters))]

    async def change(self, session_id: str, rule: Callable[[Session], Session]) -> Session:
        """Keeps what `rule` makes of the session, under its lock. Raises SessionNotFound and whatever the rule does."""
        async with self._database.transaction() as transaction:
            before = await locked(transaction, session_id, self._rules)
            after = rule(before)
            if after != before:
                await _save(transaction, before, after)
        if after.life.state is not before.life.state:
            decided("session", after.life.state.value, was=before.life.state.value)
        return after

    async def due(self, now: datetime) -> Sequence[str]:
        """Sessions that the clock may change."""
        parameters = {
            "began_before": now - self._rules.lasts_at_most,
            "broken_before": now - self._rules.grace,
            "closed_before": now - self._rules.closes_after,
            "seen_before": now - self._rules.silence,
        }
        return [str(row["session_id"]) for row in await self._database.all(_DUE, parameters)]

    def _first(self, sessions: Sequence[Session]) -> Session | None:
        return sessions[0].standing(self._rules) if sessions else None


async def locked(transaction: Connection, session_id: str, rules: JoinRules) -> Session:
    """The session, which nobody else changes until the transaction ends. Raises SessionNotFound."""
    key = {"session_id": session_id}
    # Locked first and read after: a row that waited for its lock would bring the participants of before the wait.
    await transaction.one(_LOCK, key)
    found = to_sessions(await transaction.all(_GET, key))
    if not found:
        raise SessionNotFound
    return found[0].standing(rules)


async def _save(transaction: Connection, before: Session, after: Session) -> None:
    known = {one.side: one for one in before.participants}
    changed = [one for one in after.participants if known.get(one.side) != one]
    if after.life == before.life and all(_only_seen(known.get(one.side), one) for one in changed):
        # A sign of life that changes nothing is no event: nobody is told of it.
        for one in changed:
            await transaction.execute(_SEE_PARTICIPANT, participant_row(after.session_id, one))
        return
    for one in changed:
        await transaction.execute(_SAVE_PARTICIPANT, participant_row(after.session_id, one))
        earlier = known.get(one.side)
        if earlier is not None and one.attempt > earlier.attempt > 0:
            await transaction.execute(_DROP_SIGNALS_OF_SIDE, {"session_id": after.session_id, "side": one.side.value})
    if after.life.state in OVER:
        await transaction.execute(_DROP_SIGNALS, {"session_id": after.session_id})
    await transaction.one(_SAVE_LIFE, life_row(after))
    for notice in notices_of(before, after):
        row = {"session_id": after.session_id, "appointment_id": after.visit.appointment_id, "notice": notice.value}
        await transaction.execute(_PUT_NOTICE, row | {"traceparent": current_traceparent()})


def _only_seen(earlier: Participant | None, later: Participant) -> bool:
    return earlier is not None and replace(earlier, seen=later.seen, report=later.report) == later
