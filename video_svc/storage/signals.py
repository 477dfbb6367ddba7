"""Signals in PostgreSQL: kept by their sender's number, passed on without a gap, forgotten soon."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import orjson

from chassis.db import Database
from video_svc.app.ports import Head, NumberedSignal
from video_svc.domain.errors import SignalGap
from video_svc.domain.media import Sdp, SdpKind
from video_svc.domain.session import JoinRules, Session
from video_svc.domain.signals import MOST_WAITING, Candidate, Payload, Signal
from video_svc.domain.visit import ParticipantType
from video_svc.storage.rows import Row
from video_svc.storage.sessions import locked
from video_svc.storage.sql import SIGNALS

_KEEP = SIGNALS["keep_signal"]
_PASS_ON = SIGNALS["pass_on_signals"]
_GAP = SIGNALS["signal_gap"]
_HEAD = SIGNALS["session_head"]
_AFTER = SIGNALS["signals_after"]
_DROP_OLD = SIGNALS["drop_old_signals"]
_LONGEST_GAP = timedelta(seconds=5)


class PostgresSignals:
    """Keeps the promises of video_svc.app.ports.Signals."""

    def __init__(self, database: Database, rules: JoinRules) -> None:
        self._database = database
        self._rules = rules

    async def send(self, session_id: str, signal: Signal, check: Callable[[Session], None], now: datetime) -> int:
        """Keeps a signal and passes on what follows without a gap. Raises SessionNotFound, SignalGap."""
        sender = {"session_id": session_id, "sender": signal.sender.value, "attempt": signal.attempt}
        async with self._database.transaction() as transaction:
            check(await locked(transaction, session_id, self._rules))
            gap = await transaction.one(_GAP, sender)
            if gap is not None:
                _check_gap(gap, signal.number, now)
                if signal.number < gap["next_signal"]:
                    return int(gap["next_signal"])
            await transaction.execute(_KEEP, sender | _row(signal, now))
            passed = await transaction.one(_PASS_ON, sender)
        return int(passed["next_signal"]) if passed else signal.number

    async def head(self, session_id: str) -> Head | None:
        """How far a session has come; None when there is none."""
        row = await self._database.one(_HEAD, {"session_id": session_id})
        return Head(row["seq"], row["changed_seq"]) if row else None

    async def after(self, session_id: str, receiver: ParticipantType, seq: int) -> Sequence[NumberedSignal]:
        """The next signals for the current attempt of that side, by seq."""
        parameters = {"session_id": session_id, "receiver": receiver.value, "after_seq": seq}
        return [_signal(row) for row in await self._database.all(_AFTER, parameters)]

    async def forget(self, before: datetime, connected_before: datetime) -> None:
        """Forgets what is too old to be of use."""
        await self._database.execute(_DROP_OLD, {"before": before, "connected_before": connected_before})


def _check_gap(gap: Row, number: int, now: datetime) -> None:
    """Lets pass the signal that is missing; others only while few wait for it, and not for long."""
    missing = gap["next_signal"]
    if number > missing and (
        number >= missing + MOST_WAITING
        or gap["waiting"] >= MOST_WAITING
        or (gap["oldest"] is not None and now >= gap["oldest"] + _LONGEST_GAP)
    ):
        raise SignalGap(missing)


def _row(signal: Signal, now: datetime) -> dict[str, object]:
    payload = signal.payload
    body = {
        "description": payload.description and [payload.description.kind.value, payload.description.text],
        "candidates": [[one.candidate, one.mid, one.line_index, one.ufrag] for one in payload.candidates],
        "end": payload.end_of_candidates,
    }
    return {
        "number": signal.number,
        "receiver": signal.receiver.value,
        "receiver_attempt": signal.receiver_attempt,
        "body": orjson.dumps(body),
        "now": now,
    }


def _signal(row: Row) -> NumberedSignal:
    body = orjson.loads(row["body"])
    description = body["description"]
    payload = Payload(
        Sdp(SdpKind(description[0]), description[1]) if description else None,
        tuple(Candidate(*one) for one in body["candidates"]),
        body["end"],
    )
    sender = ParticipantType(row["sender"])
    return NumberedSignal(row["seq"], Signal(sender, row["attempt"], row["number"], row["receiver_attempt"], payload))
