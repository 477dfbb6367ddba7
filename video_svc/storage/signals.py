"""Signals in PostgreSQL: kept by their sender's number, passed on without a gap, forgotten soon."""

from collections.abc import Sequence
from datetime import datetime

import orjson

from chassis.db import Database
from video_svc.app.ports import MOST_AT_ONCE, Head, NumberedSignal
from video_svc.domain.errors import SignalGap
from video_svc.domain.media import Sdp, SdpKind
from video_svc.domain.signals import LONGEST_GAP_SECONDS, MOST_WAITING, Candidate, Payload, Signal
from video_svc.domain.visit import ParticipantType
from video_svc.storage.rows import Row
from video_svc.storage.sql import SIGNALS

_PASS_ON = SIGNALS["pass_on"]
_HEAD = SIGNALS["session_head"]
_NEWS = SIGNALS["session_news"]
_DROP_OLD = SIGNALS["drop_old_signals"]
_LIMITS = {"most_waiting": MOST_WAITING, "longest_gap": LONGEST_GAP_SECONDS}


class PostgresSignals:
    """Keeps the promises of video_svc.app.ports.Signals."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def send(self, session_id: str, signal: Signal, now: datetime) -> int | None:
        """Keeps a signal and passes on what follows without a gap. Raises SignalGap."""
        parameters = {"session_id": session_id, "now": now, **_LIMITS, **_row(signal)}
        passed = await self._database.one(_PASS_ON, parameters)
        if passed is None or passed["outcome"] == "CHANGED":
            return None
        if passed["outcome"] == "GAP":
            raise SignalGap(passed["next_number"])
        return int(passed["next_number"])

    async def head(self, session_id: str) -> Head | None:
        """How far a session has come; None when there is none."""
        row = await self._database.one(_HEAD, {"session_id": session_id})
        return Head(row["seq"], row["changed_seq"]) if row else None

    async def news(
        self, session_id: str, receiver: ParticipantType | None, after_seq: int
    ) -> tuple[Head, Sequence[NumberedSignal]] | None:
        """How far a session has come, and the next signals for one side, in one statement."""
        parameters = {
            "session_id": session_id,
            "receiver": receiver and receiver.value,
            "after_seq": after_seq,
            "most": MOST_AT_ONCE,
        }
        rows = await self._database.all(_NEWS, parameters)
        if not rows:
            return None
        head = Head(rows[0]["head_seq"], rows[0]["changed_seq"])
        return head, [_signal(row) for row in rows if row["seq"] is not None]

    async def forget(self, before: datetime, connected_before: datetime) -> None:
        """Forgets what is too old to be of use."""
        await self._database.execute(_DROP_OLD, {"before": before, "connected_before": connected_before})


def _row(signal: Signal) -> dict[str, object]:
    payload = signal.payload
    body = {
        "description": payload.description and [payload.description.kind.value, payload.description.text],
        "candidates": [[one.candidate, one.mid, one.line_index, one.ufrag] for one in payload.candidates],
        "end": payload.end_of_candidates,
    }
    return {
        "sender": signal.sender.value,
        "attempt": signal.attempt,
        "number": signal.number,
        "receiver": signal.receiver.value,
        "receiver_attempt": signal.receiver_attempt,
        "body": orjson.dumps(body),
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
    signal = Signal(sender, row["attempt"], row["number"], row["receiver_attempt"], payload)
    return NumberedSignal(row["seq"], str(row["participant_id"]), signal)
